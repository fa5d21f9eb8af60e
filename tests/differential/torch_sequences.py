"""Small networks for sequences, and two that a published tutorial counts by hand."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn


class LanguageModel(nn.Module):
    """An LSTM language model whose output shares the table of its input."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.dropout = nn.Embedding(50, 24), nn.Dropout(0.2)
        self.lstm = nn.LSTM(24, 24, 2, batch_first=True, dropout=0.2)
        self.out = nn.Linear(24, 50)
        self.out.weight = self.table.weight

    def forward(self, x0: torch.Tensor) -> torch.Tensor:
        y, _ = self.lstm(self.dropout(self.table(x0)))
        return self.out(self.dropout(y))


class Packed(nn.Module):
    """A recurrent layer over sequences of 7, 4 and 2 steps, packed."""

    def __init__(self, layer: type[nn.Module]) -> None:
        super().__init__()
        self.layer, self.out = layer(5, 6, batch_first=True), nn.Linear(6, 3)

    def forward(self, x0: torch.Tensor) -> torch.Tensor:
        packed = nn.utils.rnn.pack_padded_sequence(x0, torch.tensor([7, 4, 2]), batch_first=True)
        y, _ = nn.utils.rnn.pad_packed_sequence(self.layer(packed)[0], batch_first=True)
        return self.out(y)


class CnnGru(nn.Module):
    """Convolutions over a spectrogram, then a GRU over its frames."""

    def __init__(self) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        for given, out in ((1, 8), (8, 12)):
            parts += [
                nn.Conv2d(given, out, 3, padding=1),
                nn.BatchNorm2d(out),
                nn.ReLU(),
                nn.MaxPool2d((2, 1)),
            ]
        self.convs = nn.Sequential(*parts)
        self.gru = nn.GRU(12 * 8, 20, batch_first=True, bidirectional=True)
        self.head = nn.Linear(40, 9)

    def forward(self, x0: torch.Tensor) -> torch.Tensor:
        x = self.convs(x0)
        x = x.permute(0, 3, 1, 2).flatten(2)
        y, _ = self.gru(x)
        return F.log_softmax(self.head(y), dim=-1)


class DynamicNet(nn.Module):
    """A dense network whose middle layer is used several times: 122 parameters, however often."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.first, self.middle, self.last = nn.Linear(5, 7), nn.Linear(7, 7), nn.Linear(7, 3)
        self.times = times

    def forward(self, x0: torch.Tensor) -> torch.Tensor:
        x = self.first(x0).clamp(min=0)
        for _ in range(self.times):
            x = self.middle(x).clamp(min=0)
        return self.last(x)


class SmallConvNet(nn.Module):
    """Two convolutions and two dense layers for pictures of 32 x 32: 136970 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16)
        self.conv2, self.bn2 = nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32)
        self.fc1, self.fc2 = nn.Linear(2048, 64), nn.Linear(64, 10)

    def forward(self, x0: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x0))), 2)
        x = F.max_pool2d(F.relu(self.bn2(self.conv2(x))), 2)
        x = F.relu(self.fc1(x.view(-1, 2048)))  # a larger picture is folded into more rows
        return self.fc2(x)
