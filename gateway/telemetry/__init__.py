"""What operators are told of what goes on: lines, figures, traces."""
