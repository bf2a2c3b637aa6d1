"""cas:// and glacier:// for whatever opens files through fsspec, over the account; needs the extra ``fsspec``."""
