"""``flopledger llm``: the cost of a language model to read a prompt and to write tokens after it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from flopledger.cli import completion
from flopledger.cli.options import (
    device_option,
    dtypes_option,
    format_option,
    load_conventions,
    load_device,
    output_option,
    switches_option,
    typed,
)
from flopledger.cli.output import room, write
from flopledger.cli.progress import progress
from flopledger.cli.sources import SourceOptions, source_options
from flopledger.cli.values import pairs
from flopledger.errors import UsageError
from flopledger.records import dataclass
from flopledger.report import ANSWER_FORMATS

if TYPE_CHECKING:
    from typing import Any

    from flopledger.counting.generation import Generation
    from flopledger.graph.graph import Graph

EXAMPLES = """\b
Examples:
  flopledger llm config.json --prompt 8192 --new 512 --batch 16
  flopledger llm Llama-3.1-8B/ --prompt 1024 --new 1 --dtype weights=int8,kv=bf16
  flopledger llm config.json --prompt 8192 --new 512 --device h100-sxm
  flopledger llm model.py:make --prompt 8192 --new 512 --set causal=exact --format json
"""


@dataclass(frozen=True, slots=True)
class LlmOptions:
    """The arguments of ``llm``: the source, the lengths, the types, and the format of the result."""

    source: str
    prompt: int
    new: int
    switches: tuple[str, ...]
    dtypes: str | None
    form: str
    output: str | None
    device: str | None = None


@click.command(
    "llm",
    short_help="Prefill, decode and KV cache of a language model.",
    epilog=EXAMPLES,
    no_args_is_help=True,
)
@click.argument("source", shell_complete=completion.files)
@source_options
@click.option("--prompt", type=click.IntRange(min=1), required=True, help="The tokens of the prompt.")
@click.option("--new", type=click.IntRange(min=1), required=True, help="The tokens that are generated.")
@switches_option("Change a decision of 2mac, which counts the operations: causal=exact, mla=absorbed ...")
@dtypes_option("weights=int4,kv=int8")
@device_option
@format_option(ANSWER_FORMATS)
@output_option
def command(**params: Any) -> None:
    """Count a language model's prefill, its first and last decode step, and the whole generation.

    SOURCE is a config.json of transformers, its folder, or a model as for count. The first new token comes
    from the prefill, each other one from a decode step.
    """
    from flopledger.report import generation as report  # noqa: PLC0415  (the help needs none of it)

    reading = SourceOptions.taken_from(params)
    options = LlmOptions(**params)
    with progress(f"counting {options.source}"):
        found = _generation(options, reading)
        write(report.render(found, options.form, room(options.output)[0]), options.output)


def _generation(options: LlmOptions, reading: SourceOptions) -> Generation:
    from flopledger.counting import generation as cost  # noqa: PLC0415

    if reading.seq or reading.past:
        raise UsageError("--seq and --past are for count: llm makes its steps of --prompt and --new")
    batch = reading.batch or "1"
    if not batch.isdigit():
        raise UsageError(f"--batch {batch}: expected a number of sequences")
    (convention,) = load_conventions(("2mac",), pairs("--set", options.switches))
    dtypes = typed(options.dtypes, ("weights", "kv"))
    device = load_device(options.device)
    with reading.readings(options.source) as readings:

        def read(new: int, past: int) -> Graph:
            step = replace(reading, seq=str(new), past=str(past), last_logits=reading.last_logits and new > 1)
            readings.request = replace(readings.request, options=step.language())
            return readings.read(convention.profile)

        lengths = (options.prompt, options.new, int(batch))
        return cost.generation(read, lengths, convention, dtypes, device)
