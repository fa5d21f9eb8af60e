"""Probes of one layer each."""

from __future__ import annotations

from torch import nn
from torch_probes import Holder, integers, layer, network

IMAGE, MAP, SEQUENCE, VOLUME = (1, 6, 11, 14), (1, 6, 5, 9), (1, 6, 17), (1, 4, 5, 7, 9)


def two(shape: tuple[int, ...], batch: int = 2) -> tuple[int, ...]:
    """The same shape with another batch."""
    return (batch, *shape[1:])


def convolutions() -> None:
    layer("conv1d", lambda: nn.Conv1d(6, 10, 3, stride=2, padding=1), SEQUENCE)
    layer("conv1d_nobias", lambda: nn.Conv1d(6, 10, 3, bias=False), SEQUENCE)
    layer("conv1d_same", lambda: nn.Conv1d(6, 10, 3, padding="same"), SEQUENCE)
    layer("conv1d_dilated_groups3", lambda: nn.Conv1d(6, 9, 4, dilation=3, groups=3), SEQUENCE)
    layer("conv1d_unbatched", lambda: nn.Conv1d(6, 10, 3), (6, 17))
    layer("conv2d", lambda: nn.Conv2d(6, 10, (3, 5)), IMAGE)
    layer("conv2d_n2", lambda: nn.Conv2d(6, 10, (3, 5)), two(IMAGE))
    layer("conv2d_n3", lambda: nn.Conv2d(6, 10, (5, 2), stride=(2, 3)), two(IMAGE, 3))
    layer("conv2d_nobias", lambda: nn.Conv2d(6, 10, (3, 5), bias=False), IMAGE)
    layer("conv2d_strided", lambda: nn.Conv2d(6, 10, 3, stride=2, padding=1), IMAGE)
    layer("conv2d_stride_1_3", lambda: nn.Conv2d(6, 10, (1, 7), stride=(1, 3), padding=(0, 3)), IMAGE)
    layer("conv2d_dilated", lambda: nn.Conv2d(6, 10, 3, dilation=2), IMAGE)
    layer("conv2d_dilated_2_3", lambda: nn.Conv2d(6, 10, (2, 3), dilation=(2, 3), padding=2), IMAGE)
    layer("conv2d_groups2", lambda: nn.Conv2d(6, 10, 3, groups=2), IMAGE)
    layer("conv2d_groups3_n3", lambda: nn.Conv2d(6, 12, (3, 2), groups=3, stride=2), two(IMAGE, 3))
    layer("conv2d_depthwise", lambda: nn.Conv2d(6, 6, 3, groups=6), IMAGE)
    layer("conv2d_depthwise_twofold", lambda: nn.Conv2d(6, 12, 3, groups=6, bias=False), IMAGE)
    layer("conv2d_pointwise", lambda: nn.Conv2d(6, 13, 1), IMAGE)
    layer("conv2d_same", lambda: nn.Conv2d(6, 10, 3, padding="same"), IMAGE)
    layer("conv2d_same_even", lambda: nn.Conv2d(6, 10, 4, padding="same"), IMAGE)
    layer("conv2d_same_dilated", lambda: nn.Conv2d(6, 10, 3, dilation=2, padding="same"), IMAGE)
    layer("conv2d_valid", lambda: nn.Conv2d(6, 10, 3, padding="valid"), IMAGE)
    layer("conv2d_circular", lambda: nn.Conv2d(6, 10, 3, padding=1, padding_mode="circular"), IMAGE)
    layer("conv2d_reflect", lambda: nn.Conv2d(6, 10, 5, padding=2, padding_mode="reflect"), IMAGE)
    layer("conv2d_unbatched", lambda: nn.Conv2d(6, 10, 3), (6, 11, 14))
    layer("conv3d", lambda: nn.Conv3d(4, 6, (2, 3, 5)), VOLUME)
    layer("conv3d_groups2_nobias", lambda: nn.Conv3d(4, 6, (2, 3, 5), bias=False, groups=2), VOLUME)
    layer("conv3d_valid", lambda: nn.Conv3d(4, 6, 2, padding="valid"), VOLUME)
    layer("conv3d_n3_strided", lambda: nn.Conv3d(4, 6, (3, 1, 3), stride=(1, 2, 3)), two(VOLUME, 3))
    up = nn.ConvTranspose2d
    layer("conv_transpose1d", lambda: nn.ConvTranspose1d(6, 10, 3, 2, 1, 1), SEQUENCE)
    layer("conv_transpose1d_n3", lambda: nn.ConvTranspose1d(6, 10, 4, stride=3), two(SEQUENCE, 3))
    layer("conv_transpose2d", lambda: up(6, 10, (3, 5), stride=2), (1, 6, 7, 9))
    layer("conv_transpose2d_n2", lambda: up(6, 10, (3, 5), stride=2), (2, 6, 7, 9))
    layer("conv_transpose2d_nobias", lambda: up(6, 10, (3, 5), stride=2, bias=False), (1, 6, 7, 9))
    layer("conv_transpose2d_groups2", lambda: up(6, 10, (3, 5), stride=2, groups=2), (1, 6, 7, 9))
    layer("conv_transpose2d_depthwise", lambda: up(6, 6, 4, stride=2, padding=1, groups=6), (1, 6, 7, 9))
    layer(
        "conv_transpose2d_dilated", lambda: up(6, 10, 3, dilation=2, output_padding=1, stride=2), (1, 6, 7, 9)
    )
    layer("conv_transpose2d_square", lambda: up(6, 6, 2, stride=2), (1, 6, 7, 9))
    layer("conv_transpose3d", lambda: nn.ConvTranspose3d(4, 6, (2, 3, 5), stride=2), (1, 4, 3, 4, 5))
    layer("fold", lambda: nn.Fold((9, 8), (2, 3)), (1, 36, 48))
    layer("unfold", lambda: nn.Unfold((3, 2)), IMAGE)


def dense() -> None:
    layer("linear", lambda: nn.Linear(7, 11), (1, 7))
    layer("linear_n2", lambda: nn.Linear(7, 11), (2, 7))
    layer("linear_nobias_n2", lambda: nn.Linear(7, 11, bias=False), (2, 7))
    layer("linear_3d", lambda: nn.Linear(7, 11), (1, 5, 7))
    layer("linear_3d_n2", lambda: nn.Linear(7, 11), (2, 5, 7))
    layer("linear_3d_n3_nobias", lambda: nn.Linear(7, 11, bias=False), (3, 5, 7))
    layer("linear_4d_n2", lambda: nn.Linear(7, 11), (2, 3, 5, 7))
    layer("linear_5d", lambda: nn.Linear(7, 11), (1, 2, 3, 5, 7))
    layer("linear_1d", lambda: nn.Linear(7, 11), (7,))
    layer("bilinear_n2", lambda: nn.Bilinear(7, 5, 11), (2, 7), (2, 5))
    layer("identity", nn.Identity, IMAGE)
    layer("flatten", nn.Flatten, IMAGE)
    layer("unflatten", lambda: nn.Unflatten(1, (2, 3)), IMAGE)
    layer("cosine_similarity_n2", lambda: nn.CosineSimilarity(dim=1), (2, 7), (2, 7))
    layer("pairwise_distance_n2", nn.PairwiseDistance, (2, 7), (2, 7))
    integers("embedding_n2", lambda: Holder(nn.Embedding(20, 6)), 2, 5)
    integers("embedding_bag_n2", lambda: Holder(nn.EmbeddingBag(20, 6)), 2, 5)


def norms() -> None:
    layer("batch_norm1d_2d_n3", lambda: nn.BatchNorm1d(7), (3, 7))
    layer("batch_norm1d", lambda: nn.BatchNorm1d(7), (1, 7, 9))
    layer("batch_norm2d", lambda: nn.BatchNorm2d(7), (1, 7, 5, 9))
    layer("batch_norm2d_n2", lambda: nn.BatchNorm2d(7), (2, 7, 5, 9))
    layer("batch_norm2d_train", lambda: nn.BatchNorm2d(7), (1, 7, 5, 9), train=True)
    layer("batch_norm2d_plain", lambda: nn.BatchNorm2d(7, affine=False), (1, 7, 5, 9))
    layer("batch_norm2d_untracked", lambda: nn.BatchNorm2d(7, track_running_stats=False), (1, 7, 5, 9))
    layer("batch_norm3d_n3", lambda: nn.BatchNorm3d(7), (3, 7, 3, 5, 4))
    layer("sync_batch_norm", lambda: nn.SyncBatchNorm(7), (1, 7, 5, 9))
    layer("layer_norm", lambda: nn.LayerNorm(9), (1, 7, 9))
    layer("layer_norm_n3", lambda: nn.LayerNorm(9), (3, 7, 9))
    layer("layer_norm_two_axes", lambda: nn.LayerNorm((5, 9)), (1, 7, 5, 9))
    layer("layer_norm_plain", lambda: nn.LayerNorm(9, elementwise_affine=False), (1, 7, 9))
    layer("layer_norm_nobias", lambda: nn.LayerNorm(9, bias=False), (1, 7, 9))
    layer("group_norm", lambda: nn.GroupNorm(2, 6), MAP)
    layer("group_norm_n3", lambda: nn.GroupNorm(3, 6), two(MAP, 3))
    layer("group_norm_plain", lambda: nn.GroupNorm(2, 6, affine=False), MAP)
    layer("instance_norm1d", lambda: nn.InstanceNorm1d(6), (1, 6, 9))
    layer("instance_norm2d", lambda: nn.InstanceNorm2d(6), MAP)
    layer("instance_norm2d_affine", lambda: nn.InstanceNorm2d(6, affine=True), MAP)
    layer("instance_norm2d_tracked", lambda: nn.InstanceNorm2d(6, track_running_stats=True), MAP)
    layer("instance_norm3d_affine", lambda: nn.InstanceNorm3d(6, affine=True), (1, 6, 5, 3, 4))
    layer("rms_norm", lambda: nn.RMSNorm(9), (1, 7, 9))
    layer("local_response_norm", lambda: nn.LocalResponseNorm(2), MAP)
    layer("local_response_norm5_n2", lambda: nn.LocalResponseNorm(5), two(MAP))


ACTIVATIONS = (
    nn.ReLU, nn.ReLU6, nn.PReLU, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Hardswish,
    nn.Hardsigmoid, nn.Hardtanh, nn.Hardshrink, nn.Softshrink, nn.Softsign, nn.Tanhshrink, nn.LogSigmoid,
    nn.Sigmoid, nn.Tanh, nn.Mish, nn.Softplus, nn.RReLU,
)  # fmt: skip


def activations() -> None:
    for make in ACTIVATIONS:
        layer(make.__name__.lower(), make, MAP)
    layer("relu_inplace", lambda: nn.ReLU(inplace=True), MAP)
    layer("relu_n2", nn.ReLU, two(MAP))
    layer("relu6_n3", nn.ReLU6, two(MAP, 3))
    layer("silu_n2", nn.SiLU, two(MAP))
    layer("leaky_relu_inplace", lambda: nn.LeakyReLU(inplace=True), MAP)
    layer("gelu_tanh_n3", lambda: nn.GELU("tanh"), two(MAP, 3))
    layer("prelu_6", lambda: nn.PReLU(6), MAP)
    layer("glu", lambda: nn.GLU(dim=1), MAP)
    layer("threshold", lambda: nn.Threshold(0.1, 20), MAP)
    layer("softmax_1", lambda: nn.Softmax(dim=1), MAP)
    layer("softmax_last_n2", lambda: nn.Softmax(dim=-1), two(MAP))
    layer("softmax_2d", lambda: nn.Softmax(dim=1), (1, 9))
    layer("softmin", lambda: nn.Softmin(dim=1), MAP)
    layer("log_softmax", lambda: nn.LogSoftmax(dim=1), MAP)
    layer("softmax2d", nn.Softmax2d, MAP)
    layer("dropout", lambda: nn.Dropout(0.5), MAP)
    layer("dropout_train", lambda: nn.Dropout(0.5), MAP, train=True)
    layer("dropout2d", nn.Dropout2d, MAP)
    layer("alpha_dropout", nn.AlphaDropout, MAP)


def pools() -> None:
    layer("max_pool1d", lambda: nn.MaxPool1d(3, 2), SEQUENCE)
    layer("max_pool2d", lambda: nn.MaxPool2d(3, 2, 1), IMAGE)
    layer("max_pool2d_n2", lambda: nn.MaxPool2d(3, 2, 1), two(IMAGE))
    layer("max_pool2d_ceil", lambda: nn.MaxPool2d((2, 3), 2, ceil_mode=True), IMAGE)
    layer("max_pool2d_dilated_n3", lambda: nn.MaxPool2d(2, 1, dilation=3), two(IMAGE, 3))
    layer("max_pool2d_indices", lambda: nn.MaxPool2d(2, return_indices=True), IMAGE)
    layer("max_pool3d", lambda: nn.MaxPool3d(2), (1, 6, 5, 7, 8))
    layer("avg_pool1d", lambda: nn.AvgPool1d(3, 2), SEQUENCE)
    layer("avg_pool2d", lambda: nn.AvgPool2d((2, 3), 2), IMAGE)
    layer("avg_pool2d_n3", lambda: nn.AvgPool2d(3, padding=1, count_include_pad=False), two(IMAGE, 3))
    layer("avg_pool3d", lambda: nn.AvgPool3d(2), (1, 6, 5, 7, 8))
    layer("lp_pool2d", lambda: nn.LPPool2d(2, 3), IMAGE)
    layer("adaptive_avg_pool1d", lambda: nn.AdaptiveAvgPool1d(5), SEQUENCE)
    layer("adaptive_avg_pool2d_1", lambda: nn.AdaptiveAvgPool2d(1), IMAGE)
    layer("adaptive_avg_pool2d_1_n2", lambda: nn.AdaptiveAvgPool2d(1), two(IMAGE))
    layer("adaptive_avg_pool2d_3_4", lambda: nn.AdaptiveAvgPool2d((3, 4)), IMAGE)
    layer("adaptive_avg_pool2d_7_9", lambda: nn.AdaptiveAvgPool2d((7, 9)), (1, 5, 13, 17))
    layer("adaptive_avg_pool2d_none_5", lambda: nn.AdaptiveAvgPool2d((None, 5)), IMAGE)
    layer("adaptive_avg_pool3d", lambda: nn.AdaptiveAvgPool3d((2, 3, 1)), (1, 6, 5, 7, 8))
    layer("adaptive_avg_pool3d_n3", lambda: nn.AdaptiveAvgPool3d((3, 5, 6)), (3, 2, 7, 11, 13))
    layer("adaptive_max_pool1d", lambda: nn.AdaptiveMaxPool1d(5), SEQUENCE)
    layer("adaptive_max_pool2d", lambda: nn.AdaptiveMaxPool2d((3, 4)), IMAGE)
    layer("adaptive_max_pool3d", lambda: nn.AdaptiveMaxPool3d((2, 3, 1)), (1, 6, 5, 7, 8))


def resampling() -> None:
    small = (1, 6, 5, 7)
    layer("upsample_nearest", lambda: nn.Upsample(scale_factor=2), small)
    layer("upsample_nearest_n2", lambda: nn.Upsample(scale_factor=2), two(small))
    layer("upsample_bilinear", lambda: nn.Upsample(scale_factor=2, mode="bilinear"), small)
    layer(
        "upsample_bilinear_corners",
        lambda: nn.Upsample(scale_factor=3, mode="bilinear", align_corners=True),
        small,
    )
    layer("upsample_bilinear_size", lambda: nn.Upsample(size=(9, 13), mode="bilinear"), small)
    layer("upsample_size_n3", lambda: nn.Upsample(size=8), two(small, 3))
    layer("upsample_by_half", lambda: nn.Upsample(scale_factor=0.5), small)
    layer("upsample_by_1.5", lambda: nn.Upsample(scale_factor=1.5), small)
    layer("upsample_by_3.3_n3", lambda: nn.Upsample(scale_factor=3.3, mode="bilinear"), two(small, 3))
    layer("upsample_by_1.5_2", lambda: nn.Upsample(scale_factor=(1.5, 2)), small)
    layer("upsample_bicubic", lambda: nn.Upsample(scale_factor=2, mode="bicubic"), small)
    layer("upsample_linear", lambda: nn.Upsample(scale_factor=2, mode="linear"), (1, 6, 7))
    layer("upsample_trilinear", lambda: nn.Upsample(scale_factor=2, mode="trilinear"), (1, 6, 3, 4, 5))
    layer("upsampling_bilinear2d", lambda: nn.UpsamplingBilinear2d(scale_factor=2), small)
    layer("upsampling_nearest2d", lambda: nn.UpsamplingNearest2d(scale_factor=2), small)
    layer("pixel_shuffle", lambda: nn.PixelShuffle(2), (1, 8, 5, 7))
    layer("pixel_unshuffle", lambda: nn.PixelUnshuffle(2), (1, 3, 4, 6))
    layer("channel_shuffle", lambda: nn.ChannelShuffle(2), small)
    layer("zero_pad2d", lambda: nn.ZeroPad2d((1, 2, 3, 0)), small)
    layer("reflection_pad2d", lambda: nn.ReflectionPad2d(2), small)
    layer("replication_pad1d", lambda: nn.ReplicationPad1d(2), (1, 6, 7))
    layer("constant_pad3d", lambda: nn.ConstantPad3d(1, 2.0), (1, 6, 3, 4, 5))


def recurrent() -> None:
    for cls in (nn.RNN, nn.GRU, nn.LSTM):
        name = cls.__name__.lower()
        layer(name, lambda c=cls: c(5, 7, batch_first=True), (1, 4, 5))
        layer(f"{name}_n2", lambda c=cls: c(5, 7, batch_first=True), (2, 4, 5))
        layer(f"{name}_steps_first_n2", lambda c=cls: c(5, 7), (4, 2, 5))
        layer(f"{name}_two", lambda c=cls: c(5, 7, 2, batch_first=True), (1, 4, 5))
        layer(f"{name}_both_ways", lambda c=cls: c(5, 7, batch_first=True, bidirectional=True), (1, 4, 5))
        layer(
            f"{name}_two_both_ways", lambda c=cls: c(5, 7, 2, batch_first=True, bidirectional=True), (1, 4, 5)
        )
        layer(f"{name}_nobias", lambda c=cls: c(5, 7, batch_first=True, bias=False), (1, 4, 5))
        layer(f"{name}_three_n3", lambda c=cls: c(5, 6, 3, dropout=0.5), (4, 3, 5))
        layer(f"{name}_unbatched", lambda c=cls: c(5, 7), (4, 5))
    layer("rnn_relu", lambda: nn.RNN(5, 7, nonlinearity="relu", batch_first=True), (1, 4, 5))
    layer("lstm_projected", lambda: nn.LSTM(5, 7, batch_first=True, proj_size=3), (1, 4, 5))
    layer("lstm_projected_two", lambda: nn.LSTM(5, 7, 2, batch_first=True, proj_size=3), (1, 4, 5))
    layer("rnn_cell_n2", lambda: nn.RNNCell(5, 7), (2, 5))
    layer("gru_cell_n2", lambda: nn.GRUCell(5, 7), (2, 5))
    layer("lstm_cell_n2", lambda: nn.LSTMCell(5, 7), (2, 5))
    layer("lstm_cell_nobias", lambda: nn.LSTMCell(5, 7, bias=False), (1, 5))


def bare() -> None:
    network("bare_conv2d", lambda: nn.Conv2d(6, 10, (3, 5)), IMAGE)
    network("bare_linear_n2", lambda: nn.Linear(7, 11), (2, 7))
    network("bare_relu", nn.ReLU, MAP)
    network("bare_batch_norm", lambda: nn.BatchNorm2d(6), two(MAP, 3))
    network("bare_lstm", lambda: nn.LSTM(5, 7, batch_first=True), (2, 4, 5))


def add() -> None:
    """Add all of them."""
    for part in (convolutions, dense, norms, activations, pools, resampling, recurrent, bare):
        part()
