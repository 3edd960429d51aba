"""The torch runtime: devices, number formats, memory, token types."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from docqa.errors import ModelError, SettingError
from docqa.protocols import StartingSpanModel
from docqa.reader.checkpoints import find_checkpoint
from docqa.reader.modules import load_module, place
from docqa.reader.torch_model import TorchModel, choose_device, choose_dtype

CPU = torch.device("cpu")


class Echo(torch.nn.Module):
    """Give ids as start logits and token types as end logits; fail above a number of tokens."""

    def __init__(self, most: int = 10**9, error: type[Exception] = torch.cuda.OutOfMemoryError):
        super().__init__()
        self.qa_outputs = torch.nn.Linear(1, 1)
        self.most, self.error = most, error
        self.sizes: list[int] = []
        self.masks: list[bool] = []

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None,
        token_type_ids: torch.Tensor | None = None,
    ) -> SimpleNamespace:
        self.sizes.append(input_ids.numel())
        self.masks.append(attention_mask is not None)
        if input_ids.numel() > self.most:
            raise self.error("MPS backend out of memory (a stand-in)")
        types = torch.zeros_like(input_ids) if token_type_ids is None else token_type_ids
        return SimpleNamespace(start_logits=input_ids, end_logits=types)


def arrays(rows: int, columns: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    ids = np.arange(rows * columns, dtype=np.int64).reshape(rows, columns)
    return ids, np.ones_like(ids)


@pytest.mark.parametrize("error", [torch.cuda.OutOfMemoryError, RuntimeError])
def test_out_of_memory_halves_the_batch(error: type[Exception]) -> None:
    """A batch that does not fit is read in halves, in order, and the next one starts small."""
    module = Echo(most=12, error=error)
    model = TorchModel(module, device=CPU)
    ids, mask = arrays(10, 4)
    assert np.array_equal(model(ids, mask)[0], ids)
    module.sizes.clear()
    assert np.array_equal(model(ids, mask)[0], ids)
    assert max(module.sizes) <= 12


def test_one_window_that_does_not_fit() -> None:
    """Where not even one window fits, the error says what to change."""
    model = TorchModel(Echo(most=3), device=CPU)
    with pytest.raises(ModelError, match="window of 4 tokens"):
        model(*arrays(2, 4))


def test_started_passes_end_in_order() -> None:
    """A pass that was started gives what a call gives, however late it is fetched."""
    model = TorchModel(Echo(most=12), device=CPU)
    assert isinstance(model, StartingSpanModel)
    waiting = [model.start(*arrays(rows, 4)) for rows in (2, 10, 3)]
    for rows, fetch in zip((2, 10, 3), waiting, strict=True):
        assert np.array_equal(fetch()[0], arrays(rows, 4)[0])


def test_other_errors_pass() -> None:
    """An error that is not about memory is not taken for one."""

    class Broken(Echo):
        def forward(self, *_: object, **__: object) -> SimpleNamespace:
            raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        TorchModel(Broken(), device=CPU)(*arrays(2, 2))


def test_mask_only_where_there_is_padding() -> None:
    """A batch without padding is read without a mask."""
    module = Echo()
    model = TorchModel(module, device=CPU)
    ids, mask = arrays(2, 3)
    model(ids, mask)
    mask[0, 2] = 0
    model(ids, mask)
    assert module.masks == [False, True]


def test_token_types_start_after_the_first_separator() -> None:
    """Question and first separator are of type 0, all that follows of type 1."""
    ids = np.array([[1, 8, 9, 2, 7, 6, 2], [1, 8, 2, 7, 2, 0, 0]])
    _, types = TorchModel(Echo(), device=CPU, separator_id=2)(ids, np.ones_like(ids))
    assert types.astype(int).tolist() == [[0, 0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1, 1]]


def test_bert_reads_token_types_and_others_do_not(checkpoint: Callable[[str], Path]) -> None:
    """BERT's logits equal those of its module given the types of the pair."""
    found = find_checkpoint(str(checkpoint("bert")))
    module = load_module(found)
    ids = torch.tensor([[1, 5, 6, 2, 7, 8, 2]])
    types = torch.tensor([[0, 0, 0, 0, 1, 1, 1]])
    with torch.inference_mode():
        expected = module(input_ids=ids, token_type_ids=types).start_logits.numpy()
    model = place(module, found.config, separator_id=2, device="cpu")
    mask = np.ones((1, 7), dtype=np.int64)
    np.testing.assert_allclose(model(ids.numpy(), mask)[0], expected, atol=1e-6)


@pytest.mark.parametrize("architecture", ["distilbert", "bert", "roberta", "modernbert"])
def test_longest_window_runs(checkpoint: Callable[[str], Path], architecture: str) -> None:
    """A window of as many tokens as the model has positions for is read."""
    found = find_checkpoint(str(checkpoint(architecture)))
    model = place(load_module(found), found.config, separator_id=2, device="cpu")
    expected = {"distilbert": 128, "roberta": 129}.get(architecture, 130)
    assert model.max_tokens == expected
    ids = np.full((1, expected), 7, dtype=np.int64)
    assert model(ids, np.ones_like(ids))[0].shape == (1, expected)


def test_devices_by_name() -> None:
    """The CPU can be named; a device that is not there is an error that says what works."""
    assert choose_device("cpu") == CPU
    for name in ("cuda:77", "nonsense"):
        with pytest.raises(SettingError, match="use 'auto' or 'cpu'") as told:
            choose_device(name)
        assert "vulkan" not in str(told.value)  # not the list of all that torch has heard of


def test_number_formats_by_name() -> None:
    """float32 on the CPU unless told otherwise."""
    assert choose_dtype(None, CPU) == torch.float32
    assert choose_dtype("bfloat16", CPU) == torch.bfloat16
    with pytest.raises(SettingError, match="float32, bfloat16, float16"):
        choose_dtype("int4", CPU)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_passes_overlap(checkpoint: Callable[[str], Path]) -> None:
    """Passes that are under way together give what each gives alone."""
    found = find_checkpoint(str(checkpoint("distilbert")))
    model = place(load_module(found), found.config, separator_id=2, device="cuda")
    drawn = np.random.default_rng(0)
    given = [(ids, np.ones_like(ids)) for ids in drawn.integers(4, 40, (8, 16, 100))]
    alone = [model(*each) for each in given]
    waiting = [model.start(*each) for each in given]
    for fetch, expected in zip(waiting, alone, strict=True):
        np.testing.assert_array_equal(fetch(), expected)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_computes_in_bfloat16(checkpoint: Callable[[str], Path]) -> None:
    """On a CUDA device of today the reader computes in bfloat16, near to float32."""
    found = find_checkpoint(str(checkpoint("distilbert")))
    fast, exact = (
        place(load_module(found), found.config, separator_id=2, device="cuda", dtype=dtype)
        for dtype in (None, "float32")
    )
    ids = np.random.default_rng(0).integers(4, 40, (8, 100))
    mask = np.ones_like(ids)
    assert fast.dtype == torch.bfloat16
    tolerance = TorchModel.BFLOAT16_TOLERANCE
    np.testing.assert_allclose(fast(ids, mask), exact(ids, mask), atol=tolerance)
