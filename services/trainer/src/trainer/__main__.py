"""`python -m trainer`: the stages of an improvement run, and the training of models from nothing."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from opskit.contracts.runs import RunOrder
from opskit.starting import ends_in_one_line

from trainer.stage_commands import add_stage_commands, do, say_missing, wired

if TYPE_CHECKING:
    from trainer.wiring import Wiring

cli = typer.Typer(
    help="Improve what answers: the stages of a run, one by one or all of them; and train models from nothing.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

BY = "command line"


@cli.command()
def base(
    out: Annotated[Path, typer.Option(help="Folder of the training; one that was stopped goes on there.")],
    questions: Annotated[list[Path], typer.Option(help="Questions with passages and answers (.jsonl or .jsonl.xz).")],
    documents: Annotated[
        list[Path] | None, typer.Option(help="Documents to take questions and wrong passages from.")
    ] = None,
    finish_on: Annotated[
        list[Path] | None, typer.Option(help="Questions of the kind it is for: the training ends with them.")
    ] = None,
    calibrate_on: Annotated[
        list[Path] | None, typer.Option(help="Questions as users ask them, kept out of the training.")
    ] = None,
    measure_on: Annotated[list[Path] | None, typer.Option(help="Question sets, kept out of the training.")] = None,
    without: Annotated[list[str] | None, typer.Option(help="Sources to leave out.")] = None,
    encoder: Annotated[
        Path | None, typer.Option(help="Encoder to start from; all-MiniLM-L6-v2 when none is named.")
    ] = None,
    passes: Annotated[float, typer.Option(help="How often each row is read.", min=0.01)] = 1.6,
    rate: Annotated[float, typer.Option(help="Peak learning rate.", min=1e-6)] = 2.2e-4,
    seed: Annotated[int, typer.Option()] = 21,
    rows: Annotated[int | None, typer.Option(help="Train on so many rows at most, to try things out.", min=8)] = None,
    made: Annotated[int, typer.Option(help="Questions to make from documents.", min=0)] = 9000,
) -> None:
    """Train the extractive reader from an encoder; two hours on two cores for 50,000 rows."""
    try:
        from trainer.base.encoder import encoder_folder, served_embedder
        from trainer.base.rows import UnreadableData
        from trainer.base.run import NothingToTrainOn, Order, train_reader
        from trainer.base.training import CannotResume, Recipe
    except ModuleNotFoundError as missing:
        raise typer.Exit(say_missing(missing)) from missing
    order = Order(
        encoder=encoder or encoder_folder(print),
        questions=questions,
        embedder=served_embedder(print),
        folder=out,
        documents=documents or [],
        calibrate_on=calibrate_on or [],
        sets=measure_on or [],
        without=frozenset(without or []),
        made=made,
        finish_on=finish_on or [],
        passes=passes,
        most=rows,
        recipe=Recipe(seed=seed, peak_rate=rate),
        compiled=rows is None,
    )
    try:
        train_reader(order, lambda line: print(line, flush=True))
    except (UnreadableData, NothingToTrainOn, CannotResume, OSError) as failure:
        typer.echo(f"trainer: {failure}", err=True)
        raise typer.Exit(1) from failure


@cli.command()
def tiny(
    out: Annotated[Path, typer.Option(help="The GGUF file to write; beside it stands a folder for transformers.")],
    seed: Annotated[int, typer.Option(help="Another seed gives other weights.")] = 4,
) -> None:
    """Make a tiny language model with a few facts by heart, for tests and demonstrations; takes a minute."""
    try:
        from trainer.gguf_file import write_gguf
        from trainer.tiny.training import train
    except ModuleNotFoundError as missing:
        raise typer.Exit(say_missing(missing)) from missing
    folder = out.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    train(folder, seed=seed)
    write_gguf(folder, out, name="tiny")
    print(f"{out} is written ({out.stat().st_size / 1000:.0f} kB)")


@cli.command()
def tune_language(
    base: Annotated[str, typer.Option(help="Weights in transformers' format: a folder or a hub id.")],
    examples: Annotated[Path, typer.Option(help="What to learn from: a run's data/train.jsonl.")],
    out: Annotated[Path, typer.Option(help="Folder of the training; one that was stopped goes on there.")],
    general: Annotated[bool, typer.Option(help="Learn general questions again, one for each example.")] = True,
    served: Annotated[Path | None, typer.Option(help="The GGUF that serves: the weights must be the same.")] = None,
    onward: Annotated[Path | None, typer.Option(help="Adapter of peft to go on from.")] = None,
    instructions: Annotated[str, typer.Option(help="What the release tells its model; the engine's own without.")] = "",
    abstention: Annotated[str, typer.Option(help="What it is to say when no passage answers; likewise.")] = "",
    passes: Annotated[float, typer.Option(help="How often each example is read.", min=0.01)] = 8.0,
    most_steps: Annotated[int, typer.Option(min=1)] = 400,
    rows_at_once: Annotated[int, typer.Option(help="Lessons in a process's memory at a time.", min=1)] = 2,
    rate: Annotated[float, typer.Option(help="Peak learning rate.", min=1e-7)] = 2e-4,
    seed: Annotated[int, typer.Option()] = 7,
) -> None:
    """Fine-tune a causal language model (LoRA) into a GGUF adapter; alone, or under torchrun or accelerate launch."""
    try:
        from torch import distributed

        from trainer.improvement.examples import read_examples
        from trainer.improvement.tuning import NothingLearnt
        from trainer.improvement.tuning_language import Base, LanguageTuning, WrongBase, tune
        from trainer.improvement.wording import Wording
        from trainer.replay import some_replay
    except ModuleNotFoundError as missing:
        raise typer.Exit(say_missing(missing)) from missing
    how = LanguageTuning(seed=seed, rate=rate, passes=passes, most_steps=most_steps, rows_at_once=rows_at_once)
    wording = Wording(instructions or Wording.instructions, abstention or Wording.abstention)
    try:
        learnt = list(read_examples(examples))
        replay = some_replay(len(learnt)) if general else []
        tune(Base(base, served, onward, wording), learnt, replay, out, how, lambda line: print(line, flush=True))
    except (NothingLearnt, WrongBase, OSError) as failure:
        typer.echo(f"trainer: {failure}", err=True)
        raise typer.Exit(1) from failure
    if distributed.is_initialized():
        distributed.destroy_process_group()


@cli.command()
def start(
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "asked for on the command line",
    knowledge_base: Annotated[str | None, typer.Option(help="Learn from votes on this one alone.")] = None,
    run: Annotated[str | None, typer.Option(help="Go on with this run instead of beginning one.")] = None,
) -> None:
    """Do a whole run here, stage after stage, until it ends."""
    from trainer.improvement.runs import Run
    from trainer.starting import new_run_id

    with closing(wired()) as wiring:
        order = RunOrder(run_id=run or new_run_id(), reason=reason, knowledge_base=knowledge_base)
        wiring.runs.add(Run(order, BY, datetime.now(UTC)))
        _do_all(wiring, order.run_id)


@cli.command()
def propose(
    settings: Annotated[
        Path, typer.Option(help="What to change, as YAML or JSON: `prompt`, `retrieval` or both.", exists=True)
    ],
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "proposed on the command line",
    knowledge_base: Annotated[str | None, typer.Option(help="Measure on votes on this one alone.")] = None,
) -> None:
    """Try other prompt or retrieval settings: a release without training, through the gate and a canary like any other.

    The file has only what is to change of the champion's settings, named as in
    rag's release.yaml, for example:

        retrieval: {passages: 6, dense_weight: 0.7}

        prompt: {abstain_below: 0.5, wording: {abstention: "I found nothing."}}

    rag says at once when a name, a type or a value is wrong. Then champion and
    candidate answer the questions to which votes gave the answers, each from the
    passages that it finds itself, and the gate wants the candidate to win. What
    does not make answers right, such as another greeting, wins nothing there and
    is refused.

    While another run is under way nothing is begun.
    """
    from opskit.errors import NexusError

    from trainer.proposing import answering, proposal
    from trainer.starting import add_alone, new_run_id

    changes = _changes_in(settings)
    order = RunOrder(run_id=new_run_id(), reason=reason, knowledge_base=knowledge_base, settings=changes)
    with closing(wired()) as wiring:
        try:
            proposal(answering(wiring.rag, wiring.releases), changes, wiring.rag, wiring.releases)
            add_alone(wiring.runs, order, by=BY)
        except NexusError as exc:
            typer.echo(f"trainer: {exc.message}", err=True)
            raise typer.Exit(1) from exc
        _do_all(wiring, order.run_id)


@cli.command()
def adopt(
    release: Annotated[str, typer.Option(help="The release, as `rel_…`; `own`: whatever this environment decides.")],
    registry: Annotated[str, typer.Option(help="MLflow of the environment that made it.")],
) -> None:
    """Make a release of another environment the champion here; what was refused or rolled back here stays so."""
    from opskit.errors import NexusError

    from trainer.adopting import adopt as adopt_release
    from trainer.improvement.releases import NotAllowed

    with closing(wired()) as wiring:
        try:
            published, now = wiring.registry(registry), datetime.now(UTC)
            said = adopt_release(release, published, wiring.releases, wiring.readers, wiring.deployer, now=now)
        except (NexusError, NotAllowed) as exc:
            typer.echo(f"trainer: {exc}", err=True)
            raise typer.Exit(1) from exc
    typer.echo(said)


add_stage_commands(cli)


def _changes_in(file: Path) -> dict[str, dict[str, Any]]:
    """The file's settings, as far as their form goes."""
    import yaml
    from pydantic import ValidationError

    from trainer.schemas import ProposalBody

    try:
        body = ProposalBody.model_validate({"settings": yaml.safe_load(file.read_text(encoding="utf-8"))})
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        typer.echo(f"trainer: {file} cannot be read: {exc}", err=True)
        raise typer.Exit(1) from exc
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        typer.echo(f"trainer: {file}: {place}: {first['msg']}", err=True)
        raise typer.Exit(1) from exc
    return {str(section): dict(values) for section, values in body.settings.items()}


def _do_all(wiring: "Wiring", run: str) -> None:
    """Every stage that is left of a run."""
    from trainer.improvement.runs import next_stage

    typer.echo(f"run {run}")
    while (known := wiring.runs.get(run)) is not None and (stage := next_stage(known)) is not None:
        do(wiring, run, stage)
    assert known is not None
    typer.echo(f"{known.outcome}: {known.says}")


if __name__ == "__main__":
    with ends_in_one_line():
        cli()
