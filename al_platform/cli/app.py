"""`alp`: the whole platform from the command line."""

from pathlib import Path
from typing import Annotated

import typer

from al_platform.cli import (
    catalog,
    data,
    datasets,
    experiments,
    judging,
    loops,
    policies,
    policy_scores,
    policy_training,
    queues,
    rounds,
    scenarios,
    scorer,
    serve,
    similar,
    simulator,
    tiers,
)
from al_platform.cli.home import HOME_KEY
from al_platform.cli.remote import REMOTE_KEY
from al_platform.settings import read_remote

app = typer.Typer(
    name="alp",
    help="Decide which driving data is worth a label.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("ingest")(data.ingest)
app.command("frames")(data.frames)
app.command("lineage")(data.lineage)
app.command("uncertainty")(data.uncertainty)
app.command("similar")(similar.similar)
app.command("ab")(experiments.ab)
app.command("report")(experiments.report)
app.command("scorer")(scorer.scorer)
app.command("experiments")(experiments.list_all)
app.command("serve")(serve.serve)
app.add_typer(catalog.catalog_app, name="catalog")
app.add_typer(datasets.dataset_app, name="dataset")
app.add_typer(rounds.round_app, name="round")
app.add_typer(scenarios.scenarios_app, name="scenarios")
app.add_typer(simulator.sim_app, name="sim")
policies.policy_app.command("bc")(policy_training.bc)
policies.policy_app.command("rl")(policy_training.rl)
policies.policy_app.command("list")(policy_training.list_all)
policies.policy_app.command("show")(policy_training.show)
app.add_typer(loops.loop_app, name="loop")
app.add_typer(queues.queue_app, name="queue")
app.add_typer(tiers.tier_app, name="tier")
app.add_typer(policies.policy_app, name="policy")
policies.policy_app.command("score")(policy_scores.score)
policies.policy_app.command("suite")(judging.suite)
policies.policy_app.command("suites")(judging.suites)
policies.policy_app.command("evaluate")(judging.evaluate)
policies.policy_app.command("compare")(judging.compare)
policies.policy_app.command("fix")(judging.fix)
policies.policy_app.command("license")(judging.license_)
policies.policy_app.command("leaderboard")(judging.leaderboard)


@app.callback()
def _home(
    context: typer.Context,
    home: Annotated[
        Path | None, typer.Option(help="Folder that keeps everything; default $ALP_HOME, else .alp")
    ] = None,
    server: Annotated[
        str | None, typer.Option(help="URL of a service to use instead of a home; default $ALP_SERVER")
    ] = None,
    key: Annotated[str | None, typer.Option(help="Key for the service; default $ALP_KEY")] = None,
) -> None:
    context.obj = {HOME_KEY: home, REMOTE_KEY: read_remote(server, key)}
