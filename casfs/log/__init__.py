"""What happened, in lines: how they look, what no line may hold, and how they get out."""
