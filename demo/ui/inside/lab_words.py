"""What three panels of tab 3 say: the residual lab, moving the picture, and the statistics of activations."""

from collections.abc import Mapping
from dataclasses import dataclass

from demo.ui.inside.panel_words import PanelWords


@dataclass(frozen=True)
class ResidualWords(PanelWords):
    """The residual lab."""

    absent: str
    absent_reasons: Mapping[str, str]
    block: str
    block_choice: str
    kinds: Mapping[str, str]
    places: Mapping[str, str]
    map_caption: str
    map_alt: str
    scale: str
    ratio: str
    ratio_infinite: str
    norm_columns: tuple[str, ...]
    drawing_alt: str
    drawing_layer: str
    drawing_identity: str
    drawing_ends: Mapping[str, str]
    drawing_help: str
    save_drawing: str
    shortcuts_off: str
    blocks_off: str
    nothing_off: str
    answers: str
    answer_columns: tuple[str, ...]
    before: str
    after: str
    count: str
    count_hint: str
    counting: str
    counted: str
    count_columns: tuple[str, ...]


@dataclass(frozen=True)
class MoveWords(PanelWords):
    """What becomes of activations and answers while the picture is moved."""

    move: str
    moves: Mapping[str, str]
    reach: str
    reach_help: str
    stages: Mapping[str, str]
    steps: Mapping[str, str]
    top: str
    likewise: str
    likewise_help: str
    unmoved: str
    unmoved_help: str
    step_axis: str
    similarity_axis: str
    features: str
    probability: str
    pictures: str
    picture_alt: str


@dataclass(frozen=True)
class StatisticsWords(PanelWords):
    """The statistics of two activations, side by side."""

    beside: str
    untuned: str
    own: str
    second: str
    second_alt: str
    no_second: str
    first_look: str
    second_look: str
    picture_alt: str
    columns: tuple[str, ...]
    strongest: str
    silent_help: str
    histogram: str
    histogram_help: str
    mean_axis: str
    count_axis: str
    bin: str
    numbers: str


ENGLISH_RESIDUAL = ResidualWords(
    title="The residual lab: what a shortcut carries",
    help=(
        "A residual block does not replace what comes in: it passes on x + F(x), so its layers need only learn what to "
        "change, and through the shortcut x travels on and, in training, the gradient back. Switch parts off to see "
        "how much hangs on them. That happens in a private view for this request; nobody's network changes."
    ),
    try_this=(
        "switch one whole block off, then only its shortcut. Which of the two hurts more? Does a block where the "
        "shape stays the same hurt less than one where it changes?"
    ),
    absent=(
        "{backbone} has no block that adds a shortcut, so there is no x + F(x) to look at. {reason} The ResNets and "
        "EfficientNet-Lite0 have such blocks: choose one of them in tab 1."
    ),
    absent_reasons={
        "alexnet": "It is from 2012, before shortcuts: with eight layers it could be trained without them.",
        "googlenet": "It puts the maps of its branches side by side and adds nothing.",
        "inception_v3": "It puts the maps of its branches side by side and adds nothing.",
        "densenet121": "Its shortcuts are of another kind: they put earlier maps beside later ones and add nothing.",
    },
    block="Block",
    block_choice="{name} ({kind}; {shape})",
    kinds={"basic": "basic", "bottleneck": "bottleneck", "inverted": "inverted residual"},
    places={
        "x": "x, what comes in",
        "shortcut": "x, projected on the shortcut",
        "residual": "F(x), what the block adds",
        "total": "the sum, x + F(x)",
        "output": "what goes on, after the ReLU",
    },
    map_caption="{place}: norm {norm:.4g}",
    map_alt="Block {name}: map of {place}",
    scale=(
        "Each map is the mean magnitude over all channels; all of them share one scale, from 0 to {largest:.2g}. The "
        "norm is the root of the sum of all squares."
    ),
    ratio="The norm of F(x) is {percent:.0f}% of the norm of what it is added to.",
    ratio_infinite="What F(x) is added to is all 0 here.",
    norm_columns=("Place", "shape", "norm", "mean norm of a cell"),
    drawing_alt=(
        "Drawing of block {name}. In: x, {input}. F: {layers}. Shortcut: {shortcut}. The two are {end}. Out: {output}."
    ),
    drawing_layer="{layers}, giving {shape}",
    drawing_identity="x as it is",
    drawing_ends={"added": "added", "relu": "added, then ReLU"},
    drawing_help="The bars are as long as there are channels.",
    save_drawing="Download the drawing",
    shortcuts_off="Shortcuts off: these blocks pass on F(x) alone",
    blocks_off="Whole blocks off: these pass on x alone, through their shortcut",
    nothing_off="Nothing is switched off yet: choose a shortcut or a block.",
    answers="The five best, with {shortcuts} shortcut(s) and {blocks} block(s) switched off",
    answer_columns=("Place", "whole network", "probability", "with parts off", "probability with parts off"),
    before="whole network",
    after="with parts off",
    count="Count the validation pictures again",
    count_hint=(
        "With a head of your own in use, and the pictures that it was trained on still here, the validation pictures "
        "can be counted again: train one in tab 2."
    ),
    counting="Looking at {done} of {total} validation pictures with parts off…",
    counted=(
        "{before} of {count} validation pictures right before, {after} with {shortcuts} shortcut(s) and {blocks} "
        "block(s) off. The head was trained on the whole network and has not seen such features."
    ),
    count_columns=("Network", "right", "accuracy", "95% interval"),
)

CHINESE_RESIDUAL = ResidualWords(
    title="残差实验室：捷径带走了什么",
    help=(
        "残差模块不替换输入：它传出 x + F(x)，所以它的层只需学会要改变的部分；"
        "沿着捷径，x 原样向前，训练时梯度由此向后。"
        "关掉一些部分，看看有多少依赖它们。这只发生在为这一次请求准备的私有视图里，任何人的网络都不会改变。"
    ),
    try_this="关掉一个完整的模块，再换成只关掉它的捷径。哪一种损害更大？形状不变的模块是否比形状改变的模块损害更小？",
    absent=(
        "{backbone} 没有把捷径加上去的模块，所以没有 x + F(x) 可看。{reason}"
        "各个 ResNet 和 EfficientNet-Lite0 有这样的模块：请在第 1 页选择其中之一。"
    ),
    absent_reasons={
        "alexnet": "它出自 2012 年，那时还没有捷径：它只有八层，没有捷径也能训练。",
        "googlenet": "它把各分支的特征图并排放在一起，什么都不相加。",
        "inception_v3": "它把各分支的特征图并排放在一起，什么都不相加。",
        "densenet121": "它的捷径是另一种：把较早的特征图放在较晚的旁边，什么都不相加。",
    },
    block="模块",
    block_choice="{name}（{kind}；{shape}）",
    kinds={"basic": "基本块", "bottleneck": "瓶颈块", "inverted": "倒残差块"},
    places={
        "x": "x，输入",
        "shortcut": "捷径上投影后的 x",
        "residual": "F(x)，模块加上的部分",
        "total": "两者之和 x + F(x)",
        "output": "ReLU 之后传出的结果",
    },
    map_caption="{place}：范数 {norm:.4g}",
    map_alt="模块 {name}：{place}的图",
    scale="每张图是所有通道的平均幅度；所有图共用一个刻度，从 0 到 {largest:.2g}。范数是所有数的平方和的平方根。",
    ratio="F(x) 的范数是被加的那一项的范数的 {percent:.0f}%。",
    ratio_infinite="这里 F(x) 被加到的那一项全是 0。",
    norm_columns=("位置", "形状", "范数", "每格的平均范数"),
    drawing_alt="模块 {name} 的示意图。输入：x，{input}。F：{layers}。捷径：{shortcut}。两者{end}。输出：{output}。",
    drawing_layer="{layers}，得到 {shape}",
    drawing_identity="x 原样通过",
    drawing_ends={"added": "相加", "relu": "相加，然后 ReLU"},
    drawing_help="横条的长度表示通道的多少。",
    save_drawing="下载示意图",
    shortcuts_off="关掉捷径：这些模块只传出 F(x)",
    blocks_off="关掉整个模块：它们只沿捷径传出 x",
    nothing_off="还没有关掉任何部分：请选择一条捷径或一个模块。",
    answers="关掉 {shortcuts} 条捷径和 {blocks} 个模块后，最好的五个",
    answer_columns=("名次", "完整的网络", "概率", "关掉部分之后", "关掉部分之后的概率"),
    before="完整的网络",
    after="关掉部分之后",
    count="重新数一遍验证图片",
    count_hint="当你自己的分类头在用、训练它的图片也还在时，可以重新数一遍验证图片：请在第 2 页训练一个。",
    counting="正在用关掉部分的网络查看验证图片：{done} / {total}……",
    counted=(
        "之前 {count} 张验证图片中对了 {before} 张；关掉 {shortcuts} 条捷径和 {blocks} 个模块后，对了 {after} 张。"
        "分类头是在完整的网络上训练的，没有见过这样的特征。"
    ),
    count_columns=("网络", "对了", "准确率", "95% 区间"),
)

ENGLISH_MOVES = MoveWords(
    title="Move the picture: what moves along, what stays",
    help=(
        "Shift the picture and the maps of a convolution shift with it: that is equivariance, and it is built in, up "
        "to strides and borders. Pooling over all places then forgets where things were, so features and probability "
        "hardly change: that is invariance. For turns and scales nothing is built in, only what training has seen."
    ),
    try_this="compare a shift with a turn as large as you like. Which of the stages still moves along?",
    move="Move",
    moves={"shift": "shift", "turn": "turn", "scale": "scale"},
    reach="How far, percent of the largest",
    reach_help="100: half the side, half a turn, or twice the size, both ways.",
    stages={"low": "low", "middle": "middle", "high": "high"},
    steps={"shift": "{step:+.1%} of the side", "turn": "{step:+.1f}°", "scale": "× {step:.2f}"},
    top="Followed is the best class at rest: {name}, {percent:.1f}%.",
    likewise="Does it move along? (equivariance)",
    likewise_help=(
        "Each stage compared with what it gave at rest, moved likewise: at 1 the activation moved with the picture."
    ),
    unmoved="Does it stay the same? (invariance)",
    unmoved_help=(
        "The same stages, and the pooled features, compared with what they were at rest; and the probability of the "
        "class. A line that stays level did not notice the move."
    ),
    step_axis="how far, percent of the largest",
    similarity_axis="cosine similarity, probability",
    features="features",
    probability="probability",
    pictures="What the network saw; beyond the edges of the picture is its mirror image",
    picture_alt="The photograph moved: {move}, {step}",
)

CHINESE_MOVES = MoveWords(
    title="移动图片：什么跟着动，什么不变",
    help=(
        "把图片平移，卷积的特征图也跟着平移：这叫等变性，是结构自带的，只差步幅和边界。"
        "之后在所有位置上池化，就忘掉了东西在哪里，所以特征和概率几乎不变：这叫不变性。"
        "对旋转和缩放，结构什么都没有准备，只有训练中见过的那些。"
    ),
    try_this="比较平移和旋转，幅度随你选。哪些阶段仍然跟着动？",
    move="移动方式",
    moves={"shift": "平移", "turn": "旋转", "scale": "缩放"},
    reach="幅度，占最大值的百分比",
    reach_help="100：半个边长、半圈或两倍大小，两个方向都有。",
    stages={"low": "低层", "middle": "中层", "high": "高层"},
    steps={"shift": "边长的 {step:+.1%}", "turn": "{step:+.1f}°", "scale": "× {step:.2f}"},
    top="跟踪的是静止时最好的类别：{name}，{percent:.1f}%。",
    likewise="它跟着动吗？（等变性）",
    likewise_help="每个阶段与它静止时的激活同样移动之后相比：等于 1 表示激活跟着图片一起动了。",
    unmoved="它保持不变吗？（不变性）",
    unmoved_help="同样的阶段和池化后的特征，与它们静止时相比；还有该类别的概率。保持水平的线没有察觉到移动。",
    step_axis="移动多远（占最大值的百分比）",
    similarity_axis="余弦相似度、概率",
    features="特征",
    probability="概率",
    pictures="网络看到的图片；图片边缘之外是它的镜像",
    picture_alt="移动后的照片：{move}，{step}",
)

ENGLISH_STATISTICS = StatisticsWords(
    title="Activations in numbers, of two pictures side by side",
    help=(
        "A ReLU sets everything negative to 0, so most numbers of an activation may be 0, and a channel may say "
        "nothing at all about a picture. Low stages answer to all pictures in much the same way; the higher the "
        "stage, the more the strongest channels depend on what is in the picture."
    ),
    try_this=(
        "compare your photograph with one of the same kind, then with one of something else. At which stage do the "
        "strongest channels part?"
    ),
    beside="Beside your photograph",
    untuned="the same photograph, before fine-tuning",
    own="a second picture of yours",
    second="Your second picture",
    second_alt="The second picture that you chose",
    no_second="Choose a second picture.",
    first_look="your photograph",
    second_look="beside it",
    picture_alt="What the network sees of {name}",
    columns=(
        "Stage",
        "of",
        "channels",
        "mean",
        "standard deviation",
        "zeros",
        "silent channels",
        "strongest channels (mean magnitude)",
    ),
    strongest="{channel} ({strength:.2g})",
    silent_help=(
        "A channel is silent where all of it is 0 or, in a stage without a ReLU at its end, below 1% of the stage's "
        "largest magnitude. Channels are numbered from 0."
    ),
    histogram="{stage}: how many channels have which mean",
    histogram_help="Each channel has a mean over all its cells; the lines count the channels with a mean like that.",
    mean_axis="mean of a channel",
    count_axis="channels",
    bin="{low:.3g} to {high:.3g}",
    numbers="The numbers of the charts",
)

CHINESE_STATISTICS = StatisticsWords(
    title="用数字看激活：两张图片并排",
    help=(
        "ReLU 把所有负数变成 0，所以激活中的大多数可能是 0，一个通道也可能对某张图片什么都不说。"
        "低层阶段对所有图片的反应都差不多；阶段越高，最强的通道就越取决于图片里有什么。"
    ),
    try_this="把你的照片先与一张同类的相比，再与一张完全不同的相比。最强的通道从哪个阶段开始不同？",
    beside="与你的照片并排",
    untuned="同一张照片，微调之前",
    own="你的第二张图片",
    second="你的第二张图片",
    second_alt="你选择的第二张图片",
    no_second="请选择第二张图片。",
    first_look="你的照片",
    second_look="并排的一方",
    picture_alt="网络看到的{name}",
    columns=("阶段", "来自", "通道数", "均值", "标准差", "零的比例", "沉默的通道", "最强的通道（平均幅度）"),
    strongest="{channel}（{strength:.2g}）",
    silent_help=(
        "一个通道若全为 0 就算沉默；在结尾没有 ReLU 的阶段，则是全部低于该阶段最大幅度的 1%。通道从 0 开始编号。"
    ),
    histogram="{stage}：各种均值的通道各有多少",
    histogram_help="每个通道在它所有的格子上有一个均值；曲线数的是均值在那附近的通道。",
    mean_axis="通道的均值",
    count_axis="通道数",
    bin="{low:.3g} 到 {high:.3g}",
    numbers="图表中的数字",
)
