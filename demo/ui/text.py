"""Every string that a visitor reads, in English and in Simplified Chinese.

The English sentences of errors are in `demo/errors.py`, where they are raised; the Chinese ones are here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from demo import errors
from demo.errors import DemoError, fill_message


@dataclass(frozen=True)
class Words:
    """The words of one language. Names in braces are filled in."""

    language: str  # as in HTML's lang
    title: str
    intro: str
    privacy: str

    # the strip above the tabs
    network: str
    whose_classes: str
    imagenet_classes: str
    own_classes: str
    accuracy: str
    accuracy_value: str
    no_head: str
    head_aside: str
    head_rests: str
    back_to_imagenet: str

    # what all tabs share
    unexpected: str
    list_separator: str
    photo: str
    photo_alt: str
    no_photo: str
    answer: str
    answer_imagenet: str
    answer_own: str

    # tab 1
    predict_tab: str
    predict_help: str
    examples: str
    example_names: Mapping[str, str]
    backbone: str
    backbone_missing: str
    fetching: str
    arrived: str
    try_again: str
    sources: Mapping[str, str]
    source_absent: str
    history: str
    history_help: str
    facts: Mapping[str, str]
    from_scratch: str
    ideas: Mapping[str, str]
    side_by_side: str
    compare_networks: str
    compare: str
    compared_facts: str
    all_agree: str
    not_all_agree: str
    batch: str
    batch_picture: str
    probability: str
    answers: str
    answers_imagenet: str
    answers_own: str
    top_classes: str
    network_input: str
    network_input_alt: str

    # tab 2
    finetune_tab: str
    finetune_help: str
    archive: str
    dataset_report: str
    dataset_class: str
    dataset_total: str
    splits: Mapping[str, str]
    curves: Mapping[str, str]
    skipped: str
    skipped_more: str
    no_dataset: str
    next_train: str
    epochs: str
    epochs_help: str
    train: str
    stop: str
    stopping: str
    waiting: str
    starting: str
    reading: str
    epoch_status: str
    trained: str
    trained_test: str
    trained_next: str
    loss: str
    accuracy_axis: str
    epoch_axis: str
    curve_summary: str

    # tab 3
    inside_tab: str
    inside_help: str
    stage_names: Mapping[str, str]
    stage_sentences: Mapping[str, str]
    stage_shape: str
    overlay: str
    overlay_alt: str
    grid: str
    grid_alt: str
    scale_overlay: str
    scale_grid: str
    scale_zero: str
    scale_largest: str

    error_messages: Mapping[type[DemoError], str] = field(default_factory=dict)

    def explain(self, error: Exception) -> str:
        """Return the sentence of an error in this language; an error that is not ours gets a neutral one."""
        if not isinstance(error, DemoError):
            return self.unexpected
        message = self.error_messages.get(type(error), error.message)
        return fill_message(message, error.values, self.explain, self.list_separator)


ENGLISH = Words(
    language="en",
    title="What pretrained networks see",
    intro=(
        "A network that has learned from ImageNet's 1.28 million photographs can see before it has seen your "
        "pictures: edges in its low stages, parts in the middle, objects at the top. So a little data of your own "
        "is enough. Keep the network, replace its last layer, train only that."
    ),
    privacy=(
        "Your pictures and your head stay in this browser tab's session, in memory, and go when it has been idle; "
        "they never train anybody else's model."
    ),
    network="Network",
    whose_classes="Answers with",
    imagenet_classes="ImageNet's {count:,} classes",
    own_classes="your {count} classes: {names}",
    accuracy="Validation",
    accuracy_value="{correct} of {count} right ({percent:.1f}%)",
    no_head="no head of your own yet",
    head_aside="your head ({names}) is set aside",
    head_rests="your head ({names}) waits for {backbone}, on which it was trained",
    back_to_imagenet="Back to ImageNet",
    unexpected="Something went wrong on our side. Nothing was changed; please try again.",
    list_separator="; ",
    photo="Your photograph",
    photo_alt="The photograph that you chose",
    no_photo="Choose a photograph, take one, paste one, or click an example.",
    answer="{backbone}, {classes}: <strong>{best}</strong> ({percent:.1f}%), in {milliseconds:.0f} ms",
    answer_imagenet="with ImageNet's classes",
    answer_own="with your own head",
    predict_tab="1 · Predict",
    predict_help=(
        "The network gives each class it knows a probability; the five largest are shown. It can only answer with "
        "its own words: ask it about something else and it still picks the nearest."
    ),
    examples="Or try an example",
    example_names={
        "cat": "cat",
        "coffee": "coffee",
        "rocket": "rocket",
        "palace": "palace",
        "flower": "flower",
        "astronaut": "astronaut",
    },
    backbone="Network",
    backbone_missing="{name} (not here yet: {megabytes:.0f} MB)",
    fetching="{backbone} is on its way from {host}: {done:.0f} of {total:.0f} MB. Until then nothing changes.",
    arrived="{backbone} has arrived: choose it here.",
    try_again="Try again",
    sources={
        "folder": "weights from the folder of this machine's administrator",
        "cache": "weights from torch's cache",
        "download": "weights downloaded from their authors' address",
        "hub": "weights from the Hugging Face Hub",
        "wheel": "weights that came with the app",
    },
    source_absent="weights not here",
    history="The history: from LeNet-5 to EfficientNet",
    history_help="Click a network to use it; its weights are fetched where they are not here yet.",
    facts={
        "year": "Year",
        "network": "Network",
        "idea": "The idea it brought",
        "parameters": "Parameters (millions)",
        "gflops": "Multiply-adds (10⁹)",
        "top1": "ImageNet top-1",
        "file": "File (MB)",
        "stages": "Stride / receptive field in pixels, low · middle · high",
    },
    from_scratch="trained from scratch; no ImageNet weights",
    ideas={
        "lenet5": "Convolution and pooling, learned end to end: the CNN.",
        "alexnet": "Depth, ReLU, dropout and GPUs: the CNN wins ImageNet.",
        "googlenet": "Inception blocks: several kernel sizes side by side, kept cheap by 1 × 1 convolutions.",
        "inception_v3": "Large kernels factorised into small and one-sided ones, with batch normalisation.",
        "resnet18": "The shortcut, x + F(x), around basic blocks of two 3 × 3 convolutions.",
        "resnet34": "The same basic blocks, twice as deep, and still trainable.",
        "resnet50": "Bottleneck blocks: 1 × 1 down, 3 × 3, 1 × 1 up, so that depth stays cheap.",
        "resnet101": "The same bottleneck blocks, a hundred layers deep.",
        "resnet152": "The same again, 152 layers deep: the winner of 2015.",
        "densenet121": "Each layer sees the outputs of all layers before it in its block.",
        "efficientnet_lite0": "Depth, width and resolution scaled together, for phones.",
    },
    side_by_side="Side by side: several networks, several pictures",
    compare_networks="Networks ({low} to {high})",
    compare="Compare on the photograph",
    compared_facts="{parameters:.1f} million parameters · {top1:.1f}% right on ImageNet",
    all_agree="All of them put the same class first.",
    not_all_agree="They do not agree on the first class; ✓ marks what all of them have among their five.",
    batch="Or a batch of pictures, as a table",
    batch_picture="Picture",
    probability="Probability",
    answers="Answer with",
    answers_imagenet="ImageNet's classes",
    answers_own="my classes",
    top_classes="Top 5",
    network_input="What the network is given",
    network_input_alt="The photograph resized and cropped for the network",
    finetune_tab="2 · Fine-tune",
    finetune_help=(
        "Pack a folder for each class into one zip, ten or more pictures in each. The network stays as it is; only "
        "a new last layer, `fc = nn.Linear(in_features, classes)`, learns from your pictures by cross-entropy and "
        "SGD (learning rate 0.001, momentum 0.9)."
    ),
    archive="Zip of class folders",
    dataset_report="{classes} classes, {count} pictures",
    dataset_class="Class",
    dataset_total="all",
    splits={"train": "to learn from", "validation": "to check (validation)", "test": "test"},
    curves={"train": "training", "validation": "validation"},
    skipped="{count} left out",
    skipped_more="and {count} more",
    no_dataset="No pictures yet. One picture of each class is the least to learn from, and one to check.",
    next_train="Ready: press Train.",
    epochs="Epochs",
    epochs_help="How often the new layer goes through all training pictures.",
    train="Train",
    stop="Stop",
    stopping="Stopping…",
    starting="Starting…",
    waiting="Waiting for other trainings: {count} ahead of you.",
    reading="Looking at the pictures, once each: {done} of {total}.",
    epoch_status="Epoch {epoch} of {num_epochs}: loss {loss:.3f}, {percent:.1f}% of the validation pictures right.",
    trained="Done in {seconds:.1f} s: {correct} of {count} validation pictures right ({percent:.1f}%).",
    trained_test="On the {count} test pictures: {percent:.1f}%.",
    trained_next="Your head is now in use: see tabs 1 and 3.",
    loss="Loss (cross-entropy)",
    accuracy_axis="Accuracy",
    epoch_axis="Epoch",
    curve_summary=(
        "After epoch {epoch}: loss {train_loss:.3f} (training), {val_loss:.3f} (validation); accuracy "
        "{train_accuracy:.1%} (training), {val_accuracy:.1%} (validation)."
    ),
    inside_tab="3 · Look inside",
    inside_help=(
        "One photograph on its way through the network. From stage to stage the maps get smaller and more numerous: "
        "the network gives up where for the sake of what."
    ),
    stage_names={"low": "Low stage", "middle": "Middle stage", "high": "High stage"},
    stage_sentences={
        "low": "Edges, colours and fine texture: each map answers to one simple pattern wherever it lies.",
        "middle": "Combinations of them: corners, repeated textures and parts such as eyes, wheels or petals.",
        "high": "Whole objects and their largest parts, on a coarse grid. From its mean the last layer decides.",
    },
    stage_shape="{backbone}: {channels} maps of {height} × {width}; one cell for {stride} × {stride} pixels",
    overlay="Mean activation",
    overlay_alt="{stage}: mean activation drawn on the photograph",
    grid="The 16 strongest feature maps",
    grid_alt="{stage}: its sixteen strongest feature maps",
    scale_overlay=(
        "Mean activation: the mean over all channels of the magnitude |a|, one scale for each stage, from 0 to its "
        "largest value (here {low:.2g}, {middle:.2g}, {high:.2g})."
    ),
    scale_grid=(
        "Feature maps: the 16 channels with the largest mean |a|, strongest first, each from 0 to its own largest "
        "value, so brightness cannot be compared between maps. This is what is active, not what decides the class."
    ),
    scale_zero="0",
    scale_largest="largest",
)

_CHINESE_ERRORS: dict[type[DemoError], str] = {
    errors.NoImage: "还没有图片。请上传一张、用摄像头拍一张，或选一个示例。",
    errors.NotAnImage: "“{name}”不是这里能读取的图片。请使用 JPEG、PNG、WebP、GIF、BMP 或 AVIF。",
    errors.ImageBytesExceeded: "“{name}”有 {megabytes:.1f} MB；一张图片最多 {limit:.0f} MB。请存小一些。",
    errors.ImageTooLarge: (
        "“{name}”有 {size} 像素；最多读取 {limit:.0f} 百万像素，且边长不超过 {side}。请缩小后再试。"
    ),
    errors.ImageDamaged: "“{name}”已损坏或不完整，无法解码。请重新保存或换一张图片。",
    errors.NoArchive: "还没有 zip 文件。请上传一个 zip，其中每个类别一个图片文件夹。",
    errors.NotAZip: "“{name}”不是 zip 文件{kind}。请把各类别的文件夹打包成 .zip。",
    errors.ArchiveBytesExceeded: ("“{name}”有 {megabytes:.1f} MB；zip 最多 {limit:.0f} MB。请减少图片或缩小图片。"),
    errors.TooManyEntries: "zip 中有 {count} 个条目；最多读取 {limit} 个。请减少图片。",
    errors.UnpackedBytesExceeded: "zip 解压后超过 {limit:.0f} MB。请减少图片或缩小图片。",
    errors.ArchiveEncrypted: "zip 有密码保护。请制作一个没有密码的 zip。",
    errors.ArchiveDamaged: "zip 已损坏，无法读取。请重新制作。",
    errors.EntryDamaged: "在 zip 中已损坏",
    errors.EntryUnsupported: "是链接，或以不常见的方式压缩",
    errors.EntryTooLarge: "大于 {limit:.0f} MB",
    errors.EntryNotAnImage: "不是 JPEG、PNG、WebP、GIF、BMP 或 AVIF 图片",
    errors.EntryOutsideClass: "不在任何类别文件夹中",
    errors.NoDataset: "还没有可供学习的图片。请先上传一个包含类别文件夹的 zip。",
    errors.NoPictures: "zip 中没有可用的图片。请在其中为每个类别放一个图片文件夹。",
    errors.TooFewClasses: (
        "zip 中有图片的类别文件夹只有 {count} 个（{names}）；至少需要 {limit} 个。请为每个类别建一个文件夹。"
    ),
    errors.TooManyClasses: "zip 中有 {count} 个类别；最多使用 {limit} 个。请去掉一些。",
    errors.ClassTooSmall: "类别“{class_name}”有 {count} 张图片；每个类别至少需要 {limit} 张。请再添加一些。",
    errors.ClassWithoutTraining: "类别“{class_name}”在训练文件夹中没有图片。请在那里添加一些。",
    errors.TooManyPictures: "zip 中的图片多于可以使用的 {limit} 张。请去掉一些。",
    errors.WeightsMissing: "没能取得 {backbone} 的权重。试过：{tried}。请稍后再试，或选择另一个网络。",
    errors.WeightsDamaged: "{backbone} 的权重（{file}）已损坏：校验和不符。请删除该文件。",
    errors.SourceAbsent: "{place}：没有这个文件",
    errors.ChecksumWrong: "{place}：校验和不符",
    errors.CacheUnwritable: "{place}：无法写入（{reason}）",
    errors.HubOffline: "Hugging Face Hub：已设置 HF_HUB_OFFLINE，没有询问",
    errors.DownloadUnreachable: "{host}：无法连接",
    errors.DownloadRefused: "{host}：拒绝提供（状态码 {status}）",
    errors.DownloadStalled: "{host}：{seconds:.0f} 秒没有发来任何数据",
    errors.DownloadCut: "{host}：连接中断，{total_mb} MB 中只收到 {done_mb:.1f} MB",
    errors.UnknownBackbone: "没有名为“{name}”的网络。请选择其中之一：{known}。",
    errors.OptionOutOfRange: "{option} 是 {value}；它必须是 {low} 到 {high} 之间的整数。",
    errors.NumberOfNetworks: "选了 {count} 个网络；请选 {low} 到 {high} 个。",
    errors.TooManyInBatch: "共有 {count} 张图片；一次最多读取 {limit} 张。请少选一些。",
    errors.SessionExpired: "这次会话因闲置已结束，其中的图片和分类头都已清除。请重新加载页面。",
    errors.TrainingRunning: "已有一个训练正在进行。请等它结束，或按“停止”。",
    errors.TrainingStopped: "训练已停止。正在使用的模型和之前一样。",
}

CHINESE = Words(
    language="zh-Hans",
    title="预训练网络看到了什么",
    intro=(
        "从 ImageNet 的 128 万张照片中学习过的网络，在看到你的图片之前就已经会“看”了：低层看边缘，中层看部件，"
        "高层看物体。所以你只需要少量自己的数据：保留网络，换掉最后一层，只训练这一层。"
    ),
    privacy="你的图片和分类头只存在于这个浏览器标签页的会话内存中，闲置后即清除；它们绝不会用来训练别人的模型。",
    network="网络",
    whose_classes="回答所用的类别",
    imagenet_classes="ImageNet 的 {count:,} 个类别",
    own_classes="你的 {count} 个类别：{names}",
    accuracy="验证",
    accuracy_value="{count} 张中对了 {correct} 张（{percent:.1f}%）",
    no_head="还没有你自己的分类头",
    head_aside="你的分类头（{names}）暂放一旁",
    head_rests="你的分类头（{names}）是在 {backbone} 上训练的，等你选回它",
    back_to_imagenet="回到 ImageNet",
    unexpected="我们这边出了问题。什么都没有改变，请再试一次。",
    list_separator="；",
    photo="你的照片",
    photo_alt="你选择的照片",
    no_photo="请选择、拍摄或粘贴一张照片，或点击一个示例。",
    answer="{backbone}，{classes}：<strong>{best}</strong>（{percent:.1f}%），用时 {milliseconds:.0f} 毫秒",
    answer_imagenet="用 ImageNet 的类别",
    answer_own="用你自己的分类头",
    predict_tab="1 · 预测",
    predict_help=(
        "网络给它认识的每个类别一个概率，这里显示最大的五个。它只能用自己的词来回答：拿别的东西问它，它仍会选最接近的一个。"
    ),
    examples="或者试试示例",
    example_names={
        "cat": "猫",
        "coffee": "咖啡",
        "rocket": "火箭",
        "palace": "宫殿",
        "flower": "花",
        "astronaut": "宇航员",
    },
    backbone="网络",
    backbone_missing="{name}（还不在这里：{megabytes:.0f} MB）",
    fetching="{backbone} 正从 {host} 传来：{total:.0f} MB 中的 {done:.0f} MB。在此之前什么都不变。",
    arrived="{backbone} 已经到了：可以在这里选用。",
    try_again="再试一次",
    sources={
        "folder": "权重来自本机管理员的文件夹",
        "cache": "权重来自 torch 的缓存",
        "download": "权重从其作者的地址下载",
        "hub": "权重来自 Hugging Face Hub",
        "wheel": "权重随应用一起安装",
    },
    source_absent="权重不在这里",
    history="历史：从 LeNet-5 到 EfficientNet",
    history_help="点击一个网络即可使用；权重不在这里时会先下载。",
    facts={
        "year": "年份",
        "network": "网络",
        "idea": "它带来的想法",
        "parameters": "参数（百万）",
        "gflops": "乘加次数（10⁹）",
        "top1": "ImageNet 前 1 准确率",
        "file": "文件（MB）",
        "stages": "步幅 / 感受野（像素），低 · 中 · 高",
    },
    from_scratch="从零开始训练；没有 ImageNet 权重",
    ideas={
        "lenet5": "卷积和池化，端到端地学习：CNN 由此诞生。",
        "alexnet": "深度、ReLU、dropout 和 GPU：CNN 赢得 ImageNet。",
        "googlenet": "Inception 模块：几种卷积核并排，用 1 × 1 卷积降低代价。",
        "inception_v3": "把大卷积核分解成小的和单向的，并加上批归一化。",
        "resnet18": "捷径 x + F(x)，绕过由两个 3 × 3 卷积组成的基本块。",
        "resnet34": "同样的基本块，深一倍，仍然训练得动。",
        "resnet50": "瓶颈块：1 × 1 降维、3 × 3、1 × 1 升维，让深度保持便宜。",
        "resnet101": "同样的瓶颈块，一百层深。",
        "resnet152": "同样的瓶颈块，152 层深：2015 年的冠军。",
        "densenet121": "在同一个块里，每一层都看到前面所有层的输出。",
        "efficientnet_lite0": "深度、宽度和分辨率一起缩放，为手机而生。",
    },
    side_by_side="并排比较：多个网络、多张图片",
    compare_networks="网络（{low} 到 {high} 个）",
    compare="在这张照片上比较",
    compared_facts="{parameters:.1f} 百万参数 · ImageNet 上对 {top1:.1f}%",
    all_agree="它们都把同一个类别排在第一。",
    not_all_agree="它们对第一名意见不一；✓ 标出所有网络前五名中都有的类别。",
    batch="或者一批图片，列成表格",
    batch_picture="图片",
    probability="概率",
    answers="回答所用的类别",
    answers_imagenet="ImageNet 的类别",
    answers_own="我的类别",
    top_classes="前 5 名",
    network_input="网络实际看到的图片",
    network_input_alt="为网络缩放并裁剪后的照片",
    finetune_tab="2 · 微调",
    finetune_help=(
        "每个类别一个文件夹，各放十张以上图片，打包成一个 zip。网络保持不变；只有新的最后一层 "
        "`fc = nn.Linear(in_features, classes)` 用交叉熵和 SGD（学习率 0.001，动量 0.9）从你的图片中学习。"
    ),
    archive="包含类别文件夹的 zip",
    dataset_report="{classes} 个类别，{count} 张图片",
    dataset_class="类别",
    dataset_total="合计",
    splits={"train": "用于学习（训练）", "validation": "用于检验（验证）", "test": "测试"},
    curves={"train": "训练", "validation": "验证"},
    skipped="有 {count} 个文件未使用",
    skipped_more="还有 {count} 个",
    no_dataset="还没有图片。每个类别至少要有一张用于学习，一张用于检验。",
    next_train="准备好了：请按“训练”。",
    epochs="轮数（epoch）",
    epochs_help="新的一层把全部训练图片看多少遍。",
    train="训练",
    stop="停止",
    stopping="正在停止……",
    starting="正在开始……",
    waiting="正在等待其他训练：前面还有 {count} 个。",
    reading="正在把每张图片看一遍：{total} 张中的第 {done} 张。",
    epoch_status="第 {epoch} 轮，共 {num_epochs} 轮：损失 {loss:.3f}，验证图片中对了 {percent:.1f}%。",
    trained="完成，用时 {seconds:.1f} 秒：{count} 张验证图片中对了 {correct} 张（{percent:.1f}%）。",
    trained_test="在 {count} 张测试图片上：{percent:.1f}%。",
    trained_next="你的分类头已经启用：请看标签页 1 和 3。",
    loss="损失（交叉熵）",
    accuracy_axis="准确率",
    epoch_axis="轮",
    curve_summary=(
        "第 {epoch} 轮之后：损失 {train_loss:.3f}（训练）、{val_loss:.3f}（验证）；准确率 "
        "{train_accuracy:.1%}（训练）、{val_accuracy:.1%}（验证）。"
    ),
    inside_tab="3 · 看看内部",
    inside_help="一张照片在网络中一路走过的样子。越往上，特征图越小、越多：网络放弃“在哪里”，换来“是什么”。",
    stage_names={"low": "低层", "middle": "中层", "high": "高层"},
    stage_sentences={
        "low": "边缘、颜色和细纹理：每张特征图只对一种简单的图案有反应，不管它在哪里。",
        "middle": "它们的组合：拐角、重复的纹理，以及眼睛、车轮、花瓣这样的部件。",
        "high": "整个物体和它最大的部分，画在很粗的格子上。最后一层根据它的平均值来判断。",
    },
    stage_shape="{backbone}：{channels} 张 {height} × {width} 的特征图；一格对应 {stride} × {stride} 像素",
    overlay="平均激活",
    overlay_alt="{stage}：画在照片上的平均激活",
    grid="最强的 16 张特征图",
    grid_alt="{stage}：最强的十六张特征图",
    scale_overlay=(
        "平均激活：激活大小 |a| 对所有通道取平均；每个层级各用一个刻度，从 0 到该层的最大值"
        "（这里分别是 {low:.2g}、{middle:.2g}、{high:.2g}）。"
    ),
    scale_grid=(
        "特征图：平均 |a| 最大的 16 个通道，从强到弱排列；每张各自从 0 到自己的最大值，所以不同的图之间不能比较亮度。"
        "这里显示的是哪里活跃，而不是什么决定了类别。"
    ),
    scale_zero="0",
    scale_largest="最大",
    error_messages=_CHINESE_ERRORS,
)
