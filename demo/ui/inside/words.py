"""Every string of tab 3's panels, in English and in Simplified Chinese; `Words.inside` holds them."""

from collections.abc import Mapping
from dataclasses import dataclass

from demo.ui.inside.lab_words import (
    CHINESE_MOVES,
    CHINESE_RESIDUAL,
    CHINESE_STATISTICS,
    ENGLISH_MOVES,
    ENGLISH_RESIDUAL,
    ENGLISH_STATISTICS,
    MoveWords,
    ResidualWords,
    StatisticsWords,
)
from demo.ui.inside.panel_words import PanelWords


@dataclass(frozen=True)
class LadderWords:
    """The stage ladder, which is above the panels and always there."""

    measure: str
    measures: Mapping[str, str]
    facts: str
    field: str
    pick: str
    try_this: str


@dataclass(frozen=True)
class StagesWords(PanelWords):
    """All stages, one for each resolution."""

    caption: str
    overlay_alt: str
    grid_alt: str


@dataclass(frozen=True)
class ChannelWords(PanelWords):
    """One channel: its map, the patches that excite it, and what it looks for."""

    stage: str
    channel: str
    map_caption: str
    map_alt: str
    patches: str
    no_patches: str
    searching: str
    patch_caption: str
    patch_alt: str
    dream: str
    stop: str
    dream_caption: str
    dream_alt: str
    dreaming: str
    stopped: str


@dataclass(frozen=True)
class KernelWords(PanelWords):
    """The kernels of the first layer."""

    layer: str
    tiles: str
    tiles_alt: str
    maps: str
    maps_alt: str
    kernel: str
    tile_caption: str
    tile_alt: str
    map_caption: str
    map_alt: str


@dataclass(frozen=True)
class ClassMapWords(PanelWords):
    """Class maps of one or two classes."""

    first: str
    second: str
    nobody: str
    own: str
    heading: str
    caption: str
    alt: str


@dataclass(frozen=True)
class EraseWords(PanelWords):
    """The test of a heatmap."""

    map_kind: str
    map_choices: Mapping[str, str]
    parts: Mapping[str, str]
    share_axis: str
    probability_axis: str
    heading: str
    columns: tuple[str, ...]
    caption: str
    alt: str
    control: str
    control_help: str
    agreement: str
    trained_caption: str
    untrained_caption: str
    paint: str
    paint_help: str
    measure_painted: str
    nothing_painted: str


@dataclass(frozen=True)
class InsideWords:
    """The words of all panels, and what they share."""

    paper: str
    try_this: str
    ladder: LadderWords
    stages: StagesWords
    channel: ChannelWords
    kernels: KernelWords
    class_maps: ClassMapWords
    erase: EraseWords
    residual: ResidualWords
    moves: MoveWords
    statistics: StatisticsWords


ENGLISH_INSIDE = InsideWords(
    paper="The paper: {link}.",
    try_this="Try this:",
    ladder=LadderWords(
        measure="Strongest channels by",
        measures={
            "mean": "mean magnitude",
            "peak": "largest magnitude",
            "spread": "spread (standard deviation)",
            "area": "area above half of its largest",
        },
        facts=(
            "Receptive field: {field} × {field} pixels. {zeros:.0f}% of the numbers are 0; "
            "{silent} of {channels} channels are silent on this picture."
        ),
        field="The white square is what one cell in the middle can see at most; where none is drawn, it sees it all.",
        pick="Click a map to look closer at its channel in the panel below.",
        try_this="choose another photograph of the same thing. Which of the strongest maps change, and at which stage?",
    ),
    stages=StagesWords(
        title="All stages, one for each resolution",
        help=(
            "Each time the network halves its resolution it can afford more channels. Here is the last activation at "
            "each resolution, from the photograph up to the features: its mean, and its four strongest channels."
        ),
        try_this="follow one edge of the photograph upwards. At which resolution can you no longer say where it was?",
        caption="{height} × {width}, {channels} channels ({name})",
        overlay_alt="Mean activation at {height} × {width}, drawn on the photograph",
        grid_alt="The four strongest channels at {height} × {width}",
    ),
    channel=ChannelWords(
        title="One channel: what excites it, and what it looks for",
        help=(
            "A channel is one detector, slid over the whole picture. Its map shows where it answers; the patches, from "
            "your pictures and the examples, show what it answers to most; and the last picture is made from noise by "
            "climbing its gradient: what it looks for when nothing else is asked."
        ),
        try_this=(
            "click a map in the ladder above to choose its channel. Compare a low one with a high one: does a word fit "
            "the nine patches? Does the made picture show the same thing?"
        ),
        stage="Stage",
        channel="Channel",
        map_caption="Channel {channel} of {count}; brightest at {largest:.2g}",
        map_alt="Feature map of channel {channel}, drawn on the photograph",
        patches="What excites it most, one patch from each picture, strongest first",
        no_patches="No picture excites this channel.",
        searching="Looking through {done} of {total} pictures…",
        patch_caption="{value:.2g} in {name}",
        patch_alt="Patch of {name} that excites the channel with {value:.2g}",
        dream="Make what it looks for",
        stop="Stop",
        dream_caption="Step {step} of {count}; mean activation {activation:.2g}",
        dream_alt="Picture made by gradient ascent for channel {channel}",
        dreaming="Climbing…",
        stopped="Stopped at step {step} of {count}.",
    ),
    kernels=KernelWords(
        title="The first layer's kernels",
        help=(
            "The first convolution looks at the pixels themselves, so its weights can be shown as small colour "
            "pictures. After training on photographs most are edges, stripes and colour contrasts, much like the "
            "simple cells of the visual cortex. Each map is what its kernel answers: orange where the picture is like "
            "it, blue where it is like its negative."
        ),
        try_this="find a kernel for vertical edges and one for a colour. What in the photograph do they answer to?",
        layer="{name}: {count} kernels of {side} × {side} pixels, moved by {stride}",
        tiles="Kernels",
        tiles_alt="All kernels of the first layer as colour tiles",
        maps="Their maps, in the same order",
        maps_alt="The map of each kernel on the photograph, in the same order",
        kernel="Kernel",
        tile_caption="Kernel {number}",
        tile_alt="Kernel {number} as a colour tile",
        map_caption="What it answers; strongest at ±{largest:.2g}",
        map_alt="The map of kernel {number} on the photograph",
    ),
    class_maps=ClassMapWords(
        title="Class maps: which places speak for a class",
        help=(
            "Here each map is weighted by what it does for one class, by the gradient of that class's logit: only "
            "then does a heatmap say where the evidence for the class lies. Grad-CAM weighs whole maps and fits the "
            "high stage; LayerCAM weighs each cell and also holds lower down."
        ),
        try_this=(
            "compare the best class with one that is not there. With a head of your own, your class stands beside "
            "ImageNet's: before and after fine-tuning."
        ),
        first="Class",
        second="Beside it",
        nobody="nothing",
        own="yours: {name}",
        heading="{name}: {percent:.1f}%",
        caption="{stage}, {method}",
        alt="{method} of {stage} for {name}, drawn on the photograph",
    ),
    erase=EraseWords(
        title="Test the heatmap: erase what it calls important",
        help=(
            "A map that tells the truth names the places that matter: erase the hottest and the probability falls "
            "fast, erase the coldest and it hardly moves; the same shape at a random place is the control. The map is "
            "that of the class chosen in the panel above, or of the best class."
        ),
        try_this=(
            "look whether the hottest curve lies below the random one. Then paint over what you think matters: are "
            "you better than the map?"
        ),
        map_kind="Map",
        map_choices={
            "grad_cam high": "Grad-CAM, high stage",
            "layer_cam high": "LayerCAM, high stage",
            "layer_cam middle": "LayerCAM, middle stage",
            "layer_cam low": "LayerCAM, low stage",
        },
        parts={
            "hottest": "hottest",
            "random": "random (mean of {draws})",
            "coldest": "coldest",
            "painted": "what you painted",
            "rest": "all but what you painted",
        },
        share_axis="percent erased",
        probability_axis="probability",
        heading="{name}: {percent:.1f}% with nothing erased",
        columns=("erased", "part", "probability"),
        caption="{part}, {share:.0f}%: {percent:.1f}%",
        alt="The photograph with {share:.0f}% erased, {part}",
        control="Control: the same network with random weights",
        control_help=(
            "The same map from a network that has learned nothing. If both look alike, the map shows the picture or "
            "the architecture, not what was learned (Adebayo et al. 2018)."
        ),
        agreement="Rank correlation of the two maps: {value:.2f} (1: the same order of places; 0: none in common).",
        trained_caption="As trained",
        untrained_caption="Random weights",
        paint="Paint your own mask",
        paint_help="Paint over what you want to erase, then measure.",
        measure_painted="Measure what I painted",
        nothing_painted="Nothing is painted yet. Paint over a part of the picture first.",
    ),
    residual=ENGLISH_RESIDUAL,
    moves=ENGLISH_MOVES,
    statistics=ENGLISH_STATISTICS,
)

CHINESE_INSIDE = InsideWords(
    paper="论文：{link}。",
    try_this="试一试：",
    ladder=LadderWords(
        measure="最强通道的衡量方式",
        measures={
            "mean": "平均幅度",
            "peak": "最大幅度",
            "spread": "离散程度（标准差）",
            "area": "超过自身最大值一半的面积",
        },
        facts=(
            "感受野：{field} × {field} 像素。{zeros:.0f}% 的数值为 0；{channels} 个通道中有 {silent} 个在这张图上沉默。"
        ),
        field="白色方框是中间一格最多能看到的范围；没有画出方框时，它能看到整张图。",
        pick="点击一张特征图，在下方的面板中细看它的通道。",
        try_this="换一张同类事物的照片。最强的特征图中哪些变了，在哪一层？",
    ),
    stages=StagesWords(
        title="所有阶段，每种分辨率一个",
        help=(
            "网络每把分辨率减半，就用得起更多的通道。这里是从照片到特征、每种分辨率的最后一次激活：它的平均，和最强的四个通道。"
        ),
        try_this="沿着照片的一条边缘往上看。到哪种分辨率，你就再也说不出它在哪里了？",
        caption="{height} × {width}，{channels} 个通道（{name}）",
        overlay_alt="画在照片上的 {height} × {width} 的平均激活",
        grid_alt="{height} × {width} 最强的四个通道",
    ),
    channel=ChannelWords(
        title="一个通道：什么让它兴奋，它在找什么",
        help=(
            "一个通道就是一个在整张图上滑动的检测器。它的特征图显示它在哪里有反应；"
            "来自你的图片和示例的图块显示它对什么反应最强；"
            "最后一张图由噪声出发、沿它的梯度上升而成：别无要求时，它在找什么。"
        ),
        try_this=(
            "点击上方阶梯中的一张特征图来选择它的通道。比较一个低层通道和一个高层通道："
            "能用一个词概括那九个图块吗？生成的图展示的是同一样东西吗？"
        ),
        stage="阶段",
        channel="通道",
        map_caption="第 {channel} 个通道（共 {count} 个）；最亮处为 {largest:.2g}",
        map_alt="画在照片上的第 {channel} 个通道的特征图",
        patches="最让它兴奋的图块，每张图片一块，最强的在前",
        no_patches="没有图片让这个通道兴奋。",
        searching="正在查看图片：{done} / {total}……",
        patch_caption="{name} 中的 {value:.2g}",
        patch_alt="{name} 中让该通道兴奋到 {value:.2g} 的图块",
        dream="生成它在找的东西",
        stop="停止",
        dream_caption="第 {step} 步，共 {count} 步；平均激活 {activation:.2g}",
        dream_alt="用梯度上升为第 {channel} 个通道生成的图片",
        dreaming="正在上升……",
        stopped="停在第 {step} 步，共 {count} 步。",
    ),
    kernels=KernelWords(
        title="第一层的卷积核",
        help=(
            "第一个卷积直接看像素，所以它的权重可以画成小小的彩色图片。在照片上训练之后，大多数是边缘、条纹和颜色对比，"
            "很像视觉皮层的简单细胞。每张特征图是它的卷积核的回答：橙色处图片像它，蓝色处像它的反相。"
        ),
        try_this="找一个竖直边缘的卷积核和一个颜色的卷积核。它们对照片的哪些部分有反应？",
        layer="{name}：{count} 个 {side} × {side} 像素的卷积核，步幅 {stride}",
        tiles="卷积核",
        tiles_alt="第一层的全部卷积核，画成彩色小块",
        maps="它们的特征图，顺序相同",
        maps_alt="每个卷积核在照片上的特征图，顺序相同",
        kernel="卷积核",
        tile_caption="第 {number} 个卷积核",
        tile_alt="画成彩色小块的第 {number} 个卷积核",
        map_caption="它的回答；最强为 ±{largest:.2g}",
        map_alt="第 {number} 个卷积核在照片上的特征图",
    ),
    class_maps=ClassMapWords(
        title="类别图：哪些地方支持某个类别",
        help=(
            "这里每张特征图都按它对某个类别的作用来加权，即该类别 logit 的梯度："
            "只有这样，热力图才说明类别的证据在哪里。"
            "Grad-CAM 给整张特征图加权，适合高层；LayerCAM 给每一格加权，在更低的层也成立。"
        ),
        try_this=(
            "把最可能的类别和一个不在图中的类别相比较。"
            "有了你自己的分类头，你的类别就和 ImageNet 的并排：微调之前与之后。"
        ),
        first="类别",
        second="并排比较",
        nobody="无",
        own="你的：{name}",
        heading="{name}：{percent:.1f}%",
        caption="{stage}，{method}",
        alt="画在照片上的 {name} 的 {method}，{stage}",
    ),
    erase=EraseWords(
        title="检验热力图：擦掉它说重要的地方",
        help=(
            "说真话的图会指出要紧的地方：擦掉最热处，概率很快下降；擦掉最冷处，概率几乎不变；"
            "同样的形状放在随机位置作为对照。所用的是上一个面板中所选类别的图，或最可能类别的图。"
        ),
        try_this="看看最热的曲线是否在随机曲线之下。然后涂掉你认为要紧的地方：你比这张图更准吗？",
        map_kind="用哪张图",
        map_choices={
            "grad_cam high": "Grad-CAM，高层",
            "layer_cam high": "LayerCAM，高层",
            "layer_cam middle": "LayerCAM，中层",
            "layer_cam low": "LayerCAM，低层",
        },
        parts={
            "hottest": "最热处",
            "random": "随机处（{draws} 次的平均）",
            "coldest": "最冷处",
            "painted": "你涂的部分",
            "rest": "你没涂的部分",
        },
        share_axis="擦掉的百分比",
        probability_axis="概率",
        heading="{name}：什么都不擦时为 {percent:.1f}%",
        columns=("擦掉", "部分", "概率"),
        caption="{part}，{share:.0f}%：{percent:.1f}%",
        alt="擦掉 {share:.0f}% 的照片，{part}",
        control="对照：随机权重的同一网络",
        control_help=(
            "同样的图，来自一个什么都没学过的网络。如果两张图相像，那么它显示的是图片或结构，"
            "而不是学到的东西（Adebayo 等，2018）。"
        ),
        agreement="两张图的秩相关：{value:.2f}（1：各处的次序相同；0：毫无共同之处）。",
        trained_caption="训练之后",
        untrained_caption="随机权重",
        paint="涂你自己的遮罩",
        paint_help="涂掉你想擦去的部分，然后测量。",
        measure_painted="测量我涂的部分",
        nothing_painted="还没有涂任何地方。请先涂掉图片的一部分。",
    ),
    residual=CHINESE_RESIDUAL,
    moves=CHINESE_MOVES,
    statistics=CHINESE_STATISTICS,
)
