"""A command whose arguments are ids of a service, which may begin with a hyphen, as options do."""

import click

LEAST_LONG = 64
"""Characters of what begins with two hyphens and is an id, not an option that is misspelled: ids have 92 and more."""


class WithIds(click.Command):
    """Takes what no option is called for an id: all with one hyphen but ``-h``, and what is long with two."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line, with all that is no option behind ``--``, in its order."""
        before, behind = args, list[str]()
        if "--" in args:
            before, behind = args[: args.index("--")], args[args.index("--") + 1 :]
        takes_value = {name: not _is_flag(each) for each in self.get_params(ctx) for name in each.opts}
        options, others, is_value = list[str](), list[str](), False
        for word in before:
            is_option = is_value or word in takes_value or (word.startswith("-") and not _may_be_id(word, takes_value))
            (options if is_option else others).append(word)
            is_value = not is_value and takes_value.get(word, False)
        return super().parse_args(ctx, [*options, "--", *others, *behind])


def _is_flag(param: click.Parameter) -> bool:
    return isinstance(param, click.Option) and param.is_flag


def _may_be_id(word: str, options: dict[str, bool]) -> bool:
    if word.startswith("--"):
        return len(word) >= LEAST_LONG and word.partition("=")[0] not in options
    return len(word) != 2
