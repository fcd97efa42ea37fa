"""How fast certgate is, measured beside other servers on the same rows: `./certgate bench`.

`cli` reads the command line and puts the parts together. `data` makes the rows and `databases` the places for them;
`servers` starts ours and its peers, `questions` writes what they are asked, `compare` refuses to go on when their
answers differ, `load` asks, `accounting` counts the processor's time, `measure` alternates, `report` and `picture`
show. `docs/performance.md` has the results and says how to read them.
"""
