"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Targets = Annotated[
    str,
    typer.Option(
        help="Classes to find, comma-separated, in the order of the round-robin; of scenarios: collision, off_route, "
        "red_light, off_road, stop_line, wrong_way, action, surprise, progress, tag:NAME"
    ),
]
Classes = Annotated[str, typer.Option(help="Classes the model learns; default: the targets")]
Pool = Annotated[
    str, typer.Option(help="Filter of the frames, or scenarios, to pick from, for example dataset=idd_lite,split=train")
]
Filter = Annotated[str, typer.Option("--filter", help="Pick only frames of the pool that this filter matches")]
Test = Annotated[str, typer.Option(help="Filter of the frozen test set; its sessions must not be in the pool")]
Family = Annotated[str, typer.Option(help="Model family: prefix-heads or unet")]
Policy = Annotated[str, typer.Option(help="Policy whose drivers are asked, pol_...: the round is of scenarios then")]
TrainPolicy = Annotated[
    Path | None,
    typer.Option(
        metavar="RECIPE.json",
        help='Train the drivers of every round by this recipe, such as {"members": 3, "cloning": {"updates": 2000}}',
    ),
]
Parent = Annotated[str, typer.Option("--from", metavar="POLICY", help="Policy that --train-policy goes on from")]
HoldOut = Annotated[
    float,
    typer.Option(help="Share of the sessions that --train-policy measures its learning curve on and learns not from"),
]
Drives = Annotated[
    int, typer.Option(help="Drives of each scene by each driver with drawn actions; 0: one by the expected actions")
]
Members = Annotated[int, typer.Option(help="Members of the ensemble")]
Image = Annotated[str, typer.Option(help="Image size and cell in pixels, WIDTHxHEIGHT/CELL")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="KEY=VALUE of recipe or family: steps=250, learning_rate=0.02, hidden=48, ..."),
]
Budget = Annotated[int, typer.Option(help="Frames to label in a round")]
ObjectBudget = Annotated[
    int | None, typer.Option(help="Positive cells to pay for in a round, of at most --budget frames")
]
Start = Annotated[int, typer.Option(help="Frames of the start set, drawn uniformly from the pool")]
Scorers = Annotated[int, typer.Option(help="Processes that score the pool; more machines join in by `alp scorer`")]
Curriculum = Annotated[
    list[str] | None,
    typer.Option(
        help="SHARE:FILTER, weights of what training draws: 3:time_of_day=night beside 1: for all; 3:new for what the "
        "last round added"
    ),
]
Annotator = Annotated[str, typer.Option(help="Who labels: offline (labels that came with the data) or label-studio")]
Queue = Annotated[str, typer.Option(help="Labelling queue; a frame is picked once per queue")]
Seed = Annotated[int, typer.Option(help="Seed of start set, members and draws")]
