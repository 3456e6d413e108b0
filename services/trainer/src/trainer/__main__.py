"""`python -m trainer base | tiny`: training from the command line."""

from pathlib import Path
from typing import Annotated

import typer

cli = typer.Typer(help="Train models.", no_args_is_help=True, pretty_exceptions_enable=False)

MISSING = (
    "Training needs PyTorch and its friends, which serving does not ({missing} is missing). Install them once: make "
    "training-tools"
)


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
        raise typer.Exit(_say_missing(missing)) from missing
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
        raise typer.Exit(_say_missing(missing)) from missing
    folder = out.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    train(folder, seed=seed)
    write_gguf(folder, out, name="tiny")
    print(f"{out} is written ({out.stat().st_size / 1000:.0f} kB)")


def _say_missing(missing: ModuleNotFoundError) -> int:
    typer.echo(MISSING.format(missing=missing.name), err=True)
    return 1


if __name__ == "__main__":
    cli()
