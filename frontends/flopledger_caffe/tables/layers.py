"""The table of layers: each Caffe type, its kind, and the attributes that the kind requires.

Everything in upstream Caffe is here, and the common ones of its forks. A type without a kind has a
known shape at most and is shown as unknown; a type that is not here is unknown altogether. Upstream is
held to its own rules; forks give one name to several layers, so that a fork's layer that does not fit its row
is unknown too.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from flopledger_caffe.inputs import FIELDS
from flopledger_caffe.tables import forks, learned, movement, windows
from flopledger_caffe.tables.row import MANY, Row
from flopledger_caffe.text.message import ForeignError
from flopledger_caffe.text.net import by_folded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger_caffe.text.net import Entry

_SEVERAL = (1, MANY)
_TWO_OR_MORE = (2, MANY)
_ONE_OR_TWO = (1, 2)
_LOSS = (0, MANY)
"""Upstream's losses have one top or two; forks add the loss of each region, which costs nothing more."""
_TRUE = MappingProxyType({"bias_term": True})

_WINDOWS = {
    "Convolution": Row(
        "conv", "convolution_param", windows.conv_attrs, windows.conv_blobs,
        operands=windows.conv_operands, restore=windows.conv_restore,
        bottoms=_SEVERAL, made=_SEVERAL, defaults=_TRUE,
    ),
    "Deconvolution": Row(
        "conv_transpose", "convolution_param", windows.conv_attrs, windows.deconv_blobs,
        operands=windows.conv_operands, restore=windows.conv_restore,
        bottoms=_SEVERAL, made=_SEVERAL, defaults=_TRUE,
    ),
    "DepthwiseConvolution": Row(
        "conv", "convolution_param", windows.depthwise_attrs, windows.depthwise_blobs,
        bottoms=_SEVERAL, made=_SEVERAL, defaults=_TRUE,
    ),
    "ConvolutionDepthwise": Row(
        "conv", "convolution_param", windows.depthwise_attrs, windows.depthwise_blobs,
        bottoms=_SEVERAL, made=_SEVERAL, defaults=_TRUE,
    ),
    "Im2col": Row("im2col", "convolution_param", windows.im2col_attrs),
    "Pooling": Row(
        windows.pool_kind, "pooling_param", windows.pool_attrs, more_tops=windows.pool_mask, made=(1, 2),
        defaults={"pool": "MAX"}, words={"pool": windows.METHODS},
    ),
    "Interp": Row("resample", "interp_param", windows.interp_attrs, bottoms=_ONE_OR_TWO),
    "Upsample": Row("resample", "upsample_param", windows.upsample_attrs, bottoms=_ONE_OR_TWO),
    "PriorBox": Row("prior_box", "prior_box_param", windows.prior_attrs, bottoms=(2, 2)),
    "ROIPooling": Row("roi_pool", "roi_pooling_param", windows.roi_attrs, bottoms=(2, 2)),
    "SPP": Row("pyramid_pool", "spp_param", windows.spp_attrs),
    "Reorg": Row("view", "reorg_param", windows.reorg_attrs),
}  # fmt: skip

_LEARNED = {
    "InnerProduct": Row(
        "linear", "inner_product_param", learned.linear_attrs, learned.linear_blobs, defaults=_TRUE
    ),
    "Embed": Row("embedding", "embed_param", learned.embed_attrs, learned.embed_blobs, defaults=_TRUE),
    "BatchNorm": Row("batch_norm", "batch_norm_param", learned.batch_norm_attrs, learned.batch_norm_blobs),
    "BN": Row("batch_norm", "bn_param", learned.bn_attrs, learned.bn_blobs),
    "Scale": Row(
        "scale", "scale_param", learned.scale_attrs, learned.scale_blobs,
        bottoms=_ONE_OR_TWO, defaults={"bias_term": False},
    ),
    "Bias": Row("bias", "bias_param", learned.bias_attrs, learned.bias_blobs, bottoms=_ONE_OR_TWO),
    "Axpy": Row("scale", "", learned.axpy_attrs, operands=learned.axpy_operands, bottoms=(3, 3)),
    "Normalize": Row("l2_norm", "norm_param", learned.normalize_attrs, learned.normalize_blobs),
    "LRN": Row("lrn", "lrn_param", learned.lrn_attrs),
    "MVN": Row("mvn", "mvn_param", learned.mvn_attrs),
    "PReLU": Row("prelu", "prelu_param", blobs=learned.prelu_blobs),
    "Parameter": Row(
        "fill", "parameter_param", movement.parameter_attrs, learned.parameter_blobs, bottoms=(0, 0)
    ),
    "LSTM": Row(
        "lstm", "recurrent_param", learned.recurrent_attrs, learned.lstm_blobs, more_tops=learned.hidden_tops,
        operands=learned.sequence_operands, bottoms=(2, 5), made=(1, 3),
    ),
    "RNN": Row(
        "rnn", "recurrent_param", learned.rnn_attrs, learned.rnn_blobs, more_tops=learned.hidden_tops,
        operands=learned.sequence_operands, bottoms=(2, 4), made=(1, 2),
    ),
    "LSTMUnit": Row("lstm_unit", bottoms=(3, 3), made=(2, 2)),
}  # fmt: skip

_ELEMENTWISE = {
    "ReLU": Row(learned.relu_kind, "relu_param"),
    "ReLU6": Row("relu6"),
    "ELU": Row("elu", "elu_param"),
    "SELU": Row("selu"),
    "Sigmoid": Row("sigmoid"),
    "TanH": Row("tanh"),
    "Swish": Row("swish", "swish_param"),
    "Mish": Row("mish"),
    "HardSigmoid": Row("hard_sigmoid"),
    "HardSwish": Row("hard_swish"),
    "BNLL": Row("bnll"),
    "AbsVal": Row("abs"),
    "Clip": Row("hard_tanh", "clip_param"),
    "Threshold": Row("threshold", "threshold_param"),
    "Power": Row(
        "power_law", "power_param", learned.power_attrs, defaults={"power": 1, "scale": 1, "shift": 0}
    ),
    "Exp": Row("exp_law", "exp_param", learned.base_attrs),
    "Log": Row("log_law", "log_param", learned.base_attrs),
    "Eltwise": Row(
        learned.eltwise_kind, "eltwise_param", learned.eltwise_attrs, bottoms=_TWO_OR_MORE,
        defaults={"operation": "SUM"}, words={"operation": learned.OPERATIONS},
    ),
    "Reduction": Row(
        movement.reduction_kind, "reduction_param", movement.reduction_attrs,
        defaults={"operation": "SUM"}, words={"operation": movement.REDUCTIONS},
    ),
    "ArgMax": Row("arg_max", "argmax_param", movement.argmax_attrs),
    "Softmax": Row("softmax", "softmax_param", learned.softmax_attrs),
    "Dropout": Row("dropout", "dropout_param", learned.dropout_attrs),
}  # fmt: skip

_MOVEMENT = {
    "Split": Row("identity", attrs=lambda view: {"copies": view.tops}, made=_SEVERAL, shares=True),
    "Concat": Row("concat", "concat_param", movement.concat_attrs, bottoms=_SEVERAL),
    "Slice": Row("split", "slice_param", movement.slice_attrs, made=_SEVERAL),
    "Flatten": Row("flatten", "flatten_param", movement.flatten_attrs, shares=True),
    "Reshape": Row("reshape", "reshape_param", movement.reshape_attrs, shares=True),
    "Permute": Row("transpose", "permute_param", movement.permute_attrs),
    "Crop": Row("crop", "crop_param", movement.crop_attrs, bottoms=(2, 2)),
    "Tile": Row("tile", "tile_param", movement.tile_attrs),
    "ShuffleChannel": Row("channel_shuffle", "shuffle_channel_param", movement.shuffle_attrs),
    "BatchReindex": Row("gather", "", movement.reindex_attrs, bottoms=(2, 2)),
    "Filter": Row(
        "filter",
        bottoms=_TWO_OR_MORE,
        made=_SEVERAL,
        note="how many items pass depends on the data; all were assumed to",
    ),
    "Silence": Row("silence", bottoms=_SEVERAL, made=(0, 0)),
    "HDF5Output": Row("silence", "hdf5_output_param", bottoms=_SEVERAL, made=(0, 0)),
}

_LOSSES = {
    "SoftmaxWithLoss": Row(
        "softmax_cross_entropy", "softmax_param", learned.classes_attrs, bottoms=(1, 3), made=_LOSS, labels=1
    ),
    "InfogainLoss": Row(
        "infogain", "infogain_loss_param", learned.classes_attrs, bottoms=(1, 3), made=_LOSS, labels=1
    ),
    "SigmoidCrossEntropyLoss": Row(
        "sigmoid_cross_entropy", attrs=learned.loss_attrs, bottoms=(1, 2), made=_LOSS, labels=1
    ),
    "MultinomialLogisticLoss": Row("nll", attrs=learned.nll_attrs, bottoms=(1, 2), made=_LOSS, labels=1),
    "EuclideanLoss": Row("mse", bottoms=(1, 2), made=_LOSS, labels=1),
    "HingeLoss": Row("hinge", "hinge_loss_param", bottoms=(1, 2), made=_LOSS, labels=1),
    "ContrastiveLoss": Row(
        "contrastive",
        "contrastive_loss_param",
        learned.contrastive_attrs,
        bottoms=(2, 3),
        made=_LOSS,
        labels=2,
    ),
    "SmoothL1Loss": Row("smooth_l1", "smooth_l1_loss_param", bottoms=(1, 4), made=_LOSS, labels=1),
    "Accuracy": Row(
        "accuracy", "accuracy_param", learned.accuracy_attrs, bottoms=(1, 2), made=_LOSS, labels=1
    ),
}

_WITHOUT_FORMULA = {
    "PSROIPooling": Row(
        params="psroi_pooling_param", tops=windows.psroi_tops, bottoms=(2, 2),
        why="the operations of 'PSROIPooling' depend on the regions",
    ),
    "ROIAlign": Row(
        params="roi_align_param", tops=windows.roi_tops, bottoms=(2, 2),
        why="the operations of 'ROIAlign' depend on the regions",
    ),
    "MultiBoxLoss": Row(
        tops=lambda _: ((),), bottoms=_SEVERAL, made=_LOSS, why="no formula for Caffe type 'MultiBoxLoss'"
    ),
}  # fmt: skip

TABLE: Mapping[str, Row] = MappingProxyType(
    {**_WINDOWS, **_LEARNED, **_ELEMENTWISE, **_MOVEMENT, **_LOSSES, **_WITHOUT_FORMULA, **forks.ROWS}
)
"""Each type by its V2 name."""

OF_FORKS = frozenset({
    *forks.ROWS, *_WITHOUT_FORMULA, "DepthwiseConvolution", "ConvolutionDepthwise", "Interp", "Upsample",
    "PriorBox", "ROIPooling", "Reorg", "BN", "Axpy", "Normalize", "ReLU6", "SELU", "Mish", "HardSigmoid",
    "HardSwish", "Permute", "ShuffleChannel", "SmoothL1Loss",
})  # fmt: skip
"""The types that upstream Caffe does not have."""

_OTHER_NAMES = {
    "relu6": "ReLU6",
    "hswish": "HardSwish",
    "hsigmoid": "HardSigmoid",
    "channelshuffle": "ShuffleChannel",
}
_EXACT = {name: name for name in (*TABLE, *FIELDS)}
_UPSTREAM_LAST = sorted(_EXACT, key=lambda name: name not in OF_FORKS)
SPELLINGS: Mapping[str, str] = MappingProxyType({**_OTHER_NAMES, **by_folded(_UPSTREAM_LAST), **_EXACT})
"""V2 names by themselves, and by the spelling that V1 names share with them.

See :func:`~flopledger_caffe.text.net.folded`. ``LSTM`` is upstream's layer and ``Lstm`` another one; V1's
word for both would be upstream's.
"""

_PARAMS = frozenset(row.params for row in TABLE.values()) | {"transform_param", "loss_param"}


def is_foreign(entry: Entry, row: Row, error: Exception) -> bool:
    """Return whether a layer that does not fit its row is a fork's own rather than a mistake.

    So it is where upstream has no such type or spells it otherwise, where the type's own field is missing and
    one that no row knows is there instead (CTPN's ``lstm_param``), or where a word or the number of tops is
    none of upstream's (a fork's ``operation: DIV``).
    """
    own = {field.key for field in entry.message.fields if field.key.endswith("_param")}
    strange = bool(row.params) and row.params not in own and bool(own - _PARAMS)
    return entry.type in OF_FORKS or bool(entry.spelled) or strange or isinstance(error, ForeignError)
