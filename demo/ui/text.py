"""Every string that a visitor reads, in English and in Simplified Chinese.

The English sentences of errors are in `demo/errors.py`, where they are raised; the Chinese ones are here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from demo import errors
from demo.errors import DemoError, fill_message
from demo.ui.customer_words import CHINESE_CUSTOMERS, ENGLISH_CUSTOMERS, CustomersWords
from demo.ui.inside.words import CHINESE_INSIDE, ENGLISH_INSIDE, InsideWords


@dataclass(frozen=True)
class Words:
    """The words of one language. Names in braces are filled in."""

    language: str  # as in HTML's lang
    title: str
    intro: str
    privacy: str
    session_left: str
    session_over: str
    session_anew: str
    forget: str
    forget_sure: str
    promise_title: str
    promise: Mapping[str, str]

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
    waiting_for: str
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

    # tab 2: gathering, recipe, results, experiments, keeping
    step_pictures: str
    step_training: str
    zip_tab: str
    classes_tab: str
    starters_tab: str
    classes_help: str
    new_class: str
    new_class_hint: str
    add_class: str
    chosen_class: str
    class_pictures: str
    class_camera: str
    recorded: str
    rename_class: str
    remove_class: str
    starters_help: str
    switch_classes: str
    class_off: str
    drop_pictures: str
    thumbnail_alt: str
    warn_small: str
    warn_imbalance: str
    warn_duplicates: str
    warn_across_splits: str
    warn_across_classes: str
    warn_split_by_picture: str
    trains_label: str
    trains_help: str
    head_builder: str
    head_builder_help: str
    hidden_layers: str
    width: str
    dropout: str
    recipe_title: str
    lesson_recipe: str
    suggested_recipe: str
    optimizer: str
    batch_size: str
    learning_rate: str
    weight_decay: str
    flips: str
    crops: str
    patience: str
    patience_help: str
    seed: str
    views_title: str
    view_plain: str
    view_flip: str
    view_crop: str
    trained_count: str
    code_title: str
    code_help: str
    time_left: str
    batch_status: str
    trained_early: str
    trained_cut: str
    results: str
    results_split: str
    results_headline: str
    results_test_note: str
    results_validation_note: str
    confusion_help: str
    confusion_corner: str
    cell_label: str
    cell_title: str
    detail_hint: str
    detail_title: str
    speaks_for: str
    speaks_help: str
    alike_title: str
    classes_title: str
    reliability_title: str
    reliability_help: str
    reliability: str
    reliability_alt: str
    novelty_title: str
    novelty_help: str
    novelty_share: str
    novelty_hint: str
    novelty: str
    novelty_photo_known: str
    novelty_photo_strange: str
    projection_title: str
    projection_help: str
    race: str
    race_help: str
    start_race: str
    seconds_axis: str
    few: str
    few_help: str
    start_few: str
    pictures_axis: str
    all_pictures: str
    experiment_running: str
    experiment_done: str
    keep: str
    keep_help: str
    export: str
    exported: str
    import_head: str
    imported: str
    make_report: str
    report_file: str
    report_title: str
    trains: Mapping[str, str]
    optimizers: Mapping[str, str]
    split_names: Mapping[str, str]
    class_columns: tuple[str, ...]
    reliability_columns: tuple[str, ...]
    contenders: Mapping[str, str]
    race_columns: tuple[str, ...]
    curve_columns: tuple[str, ...]
    curve_bands: tuple[str, str, str]
    starters: Mapping[str, str]
    starter_classes: Mapping[str, str]
    customers: CustomersWords

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
    inside: InsideWords

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
    privacy="Your pictures and your head are yours: they never train anybody else's model.",
    session_left="Without use, everything of yours is forgotten in <b>{minutes}</b> minutes.",
    session_over="Your session has ended and everything of yours is forgotten. Reload the page to begin anew.",
    session_anew="Your earlier session has ended, and everything in it is forgotten. A new one has begun.",
    forget="Forget everything now",
    forget_sure="Forget your pictures, classes and head now? This cannot be undone.",
    promise_title="What happens to what you bring",
    promise={
        "held": (
            "Held are: the photograph as you see it here, the pictures to learn from, what the network makes of them, "
            "and your head."
        ),
        "where": (
            "They are in the memory of this server; the pictures to learn from are in a temporary file without a "
            "name, that nothing but this program can open. An uploaded file is deleted as soon as it was read, or "
            "after {unread} minutes if nobody reads it. What you ask to download lies in a file whose name nobody can "
            "guess."
        ),
        "until": (
            "They are forgotten when you press the button, after {idle} minutes without use, {closed} minutes after "
            "you close the page, and when the server is started anew, whichever comes first. If more is brought than "
            "the server can hold, whoever was idle longest is forgotten sooner."
        ),
        "who": (
            "Nobody else who uses this page can see them. Whoever runs the server could look into its memory; nobody "
            "else could."
        ),
        "use": (
            "They never train anybody else's model: every visitor's head is their own, and the network below it is "
            "the same for all and never changes."
        ),
        "export": "A head that you export holds numbers and the names of your classes, and no picture.",
        "logs": "They are not logged, not counted and not sent on, and this page sets no cookies.",
        "people": "Please do not upload pictures of people without their permission.",
    },
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
        "The network stays as it is; only a new last layer on top of it, the head, learns from your pictures. Ten or twenty pictures "
        "of each class are enough to see it work. Bring them, press Train, then look at what it gets wrong and why."
    ),
    archive="Zip of class folders",
    dataset_report="{classes} classes, {count} pictures",
    dataset_class="Class",
    dataset_total="all",
    splits={"train": "to learn from", "validation": "to check (validation)", "test": "test"},
    curves={"train": "training", "validation": "validation"},
    skipped="{count} left out",
    skipped_more="and {count} more",
    no_dataset=(
        "No pictures yet: upload a zip, make classes of your own, or take a starter set. Each class needs two or more."
    ),
    next_train="Ready: press Train.",
    epochs="Epochs",
    epochs_help=("How often training goes through all training pictures."),
    train="Train",
    stop="Stop",
    stopping="Stopping…",
    starting="Starting…",
    waiting="Waiting for other trainings: {count} ahead of you.",
    waiting_for="Waiting for other trainings: {count} ahead of you, about {seconds:.0f} s.",
    reading=("Looking at the pictures: {done} of {total}."),
    epoch_status="Epoch {epoch} of {num_epochs}: loss {loss:.3f}, {percent:.1f}% of the validation pictures right.",
    trained=(
        "Done in {seconds:.1f} s: {correct} of {count} validation pictures right ({percent:.1f}%, 95% interval {low:.1f} to {high:.1f}%)."
    ),
    trained_test=("Test: {correct} of {count} ({percent:.1f}%, {low:.1f} to {high:.1f}%)."),
    trained_next="Your head is now in use: see tabs 1 and 3.",
    loss="Loss (cross-entropy)",
    accuracy_axis="Accuracy",
    epoch_axis="Epoch",
    curve_summary=(
        "After epoch {epoch}: loss {train_loss:.3f} (training), {val_loss:.3f} (validation); accuracy "
        "{train_accuracy:.1%} (training), {val_accuracy:.1%} (validation)."
    ),
    step_pictures="1 · Pictures",
    step_training="2 · Training",
    zip_tab="A zip of folders",
    classes_tab="Make classes here",
    starters_tab="Starter sets",
    classes_help="Name a class, then add pictures to it from your device or from the camera. Two classes are the least.",
    new_class="Name of a class",
    new_class_hint="for example: my cat",
    add_class="Add class",
    chosen_class="Class that gets the pictures",
    class_pictures="Pictures for this class",
    class_camera="Or record from the camera, two pictures a second; press again to end",
    recorded="{name}: {count} pictures.",
    rename_class="Rename to the name above",
    remove_class="Remove this class",
    starters_help="Sets that need no upload: 8 × 8 scans of handwritten digits, and road signs drawn here from a seed.",
    switch_classes="Classes that take part",
    class_off="(off)",
    drop_pictures="Forget these pictures",
    thumbnail_alt="Picture {name}",
    warn_small="Fewer than 10 pictures: {names}. Results will jump about.",
    warn_imbalance="The largest class has {times:.1f} times as many pictures as the smallest: accuracy alone misleads.",
    warn_duplicates="{count} pictures are near-duplicates, in {groups} groups. Each group is kept on one side of the split.",
    warn_across_splits="{count} held-out pictures look the same as one that is learned from, such as {first} and {second}: the results flatter.",
    warn_across_classes="{count} pictures stand in two classes, such as {first} and {second} ({classes}): one label is wrong.",
    warn_split_by_picture="Nearly all pictures are alike in: {names}. They are on both sides of the split, so the results flatter.",
    trains_label="What learns",
    trains_help="The deeper, the slower, and the more pictures it needs. What is trained is a private copy of yours.",
    head_builder="Build your own head (the homework)",
    head_builder_help="Zero hidden layers is the lesson's own nn.Linear. Each hidden layer is Linear, ReLU and dropout. Does more help?",
    hidden_layers="Hidden layers",
    width="Width of a hidden layer",
    dropout="Dropout",
    recipe_title="Recipe: optimizer, epochs, augmentation",
    lesson_recipe="The lesson's recipe",
    suggested_recipe="The suggested one",
    optimizer="Optimizer",
    batch_size="Batch size",
    learning_rate="Learning rate",
    weight_decay="Weight decay",
    flips="Mirror images too",
    crops="Random crops of each",
    patience="Early stopping: patience",
    patience_help="Ends after so many epochs without a lower validation loss and keeps the best one. 0: never.",
    seed="Seed",
    views_title="What the training sees of one picture:",
    view_plain="as it is",
    view_flip="mirrored",
    view_crop="cropped",
    trained_count="This trains {count:,} parameters, for {classes} classes; {backbone} has {total:,}.",
    code_title="The code of what is being trained",
    code_help="Complete and runnable: put your pictures into data/train and data/val, a folder for each class.",
    time_left="About {seconds:.0f} s left.",
    batch_status="Epoch {epoch}: batch {done} of {total}.",
    trained_early="Epoch {chosen} of {epochs} had the lowest validation loss and was kept: the validation pictures chose it, so they flatter.",
    trained_cut="The time limit ended it after {epochs} of {num_epochs} epochs.",
    results="3 · Results: what it gets right and wrong",
    results_split="Pictures",
    results_headline="<strong>{correct} of {count}</strong> {split} pictures right: {percent:.1f}%. With so few pictures the true share lies between {low:.1f}% and {high:.1f}% (95% Wilson interval); one picture is {points:.2f} points.",
    results_test_note="No choice was made by these pictures.",
    results_validation_note="Validation pictures: as soon as you choose a recipe by them, they flatter it.",
    confusion_help="Rows: what the picture shows. Columns: what the head said. Click a number to see those pictures.",
    confusion_corner="is ↓ · said →",
    cell_label="{count} pictures of {truth}, taken for {answer}",
    cell_title="{truth}, taken for {answer}: {count}",
    detail_hint="Click a picture to see what speaks for which class, and which training pictures are most alike.",
    detail_title="{name}: is {truth}",
    speaks_for="speaks for {name}",
    speaks_help="Class maps (Grad-CAM): bright is where the high stage's evidence for that class lies, each on its own scale.",
    alike_title="The most alike training pictures (cosine of their features)",
    classes_title="Each class: precision and recall",
    reliability_title="When it says 90%, is it right in 90%?",
    reliability_help="Bars: how often it is right when it is that sure. On the dashed line the two are the same. Dividing the logits by a temperature, fitted on the validation pictures, changes how sure it is and never what it answers (Guo et al. 2017).",
    reliability="It is off by {error:.1f} points in the mean. With temperature {temperature:.2f} it would be {after:.1f}.",
    reliability_alt="Reliability diagram; its numbers are in the table below",
    novelty_title="None of these: what does it not know?",
    novelty_help="A head always answers with one of its classes. How far a picture's features are from the nearest class mean tells whether it is like anything that was learned.",
    novelty_share="Accept so many percent of the validation pictures",
    novelty_hint="Move the slider to ask.",
    novelty="At distance {threshold:.3f}, {accepted} of {known} validation pictures are accepted, and {rejected} of the {strangers} example pictures of tab 1 are rejected.",
    novelty_photo_known="Your photograph (distance {distance:.3f}) is accepted.",
    novelty_photo_strange="Your photograph (distance {distance:.3f}) is none of these.",
    projection_title="The features in two dimensions",
    projection_help="Each point is a picture: its features, laid flat along the two directions in which they vary most (PCA). Classes that are apart here are easy.",
    race="The race: does pretraining pay?",
    race_help="The same pictures, the same split, each on its own clock from the first look at a picture: LeNet-5 from scratch; this network with random weights, frozen, and a head; pretrained, frozen, and a head; pretrained with its last stage trained too.",
    start_race="Start the race",
    seconds_axis="Seconds",
    few="How few pictures are enough?",
    few_help="Heads in closed form on 1, 2, 5, 10, 20 and all training pictures of each class, ten draws each, all measured on the same validation pictures.",
    start_few="Find out",
    pictures_axis="Training pictures of each class",
    all_pictures="all",
    experiment_running="Running…",
    experiment_done="Done.",
    keep="4 · Keep it",
    keep_help="One zip with the head, a script that runs without this page, a model card and a self-test; none of your pictures. Bring it back here at any time.",
    export="Export the head",
    exported="Exported head (zip)",
    import_head="Bring a head back (zip or .safetensors)",
    imported="Your head is in use: {names}. Opening somebody's head shows you their class names, and runs no code.",
    make_report="Report of this run",
    report_file="Report (one HTML file)",
    report_title="Report of a training",
    trains={
        "head": "the head only",
        "last_stage": "the head and the last stage",
        "everything": "everything (the lesson's own code)",
    },
    optimizers={"sgd": "SGD, momentum 0.9 (the lesson's)", "adamw": "AdamW", "ridge": "closed form: ridge in float64"},
    split_names={"train": "training", "validation": "validation", "test": "test"},
    class_columns=("Class", "pictures", "answered", "precision", "recall", "F1"),
    reliability_columns=("How sure", "pictures", "mean sureness", "right"),
    contenders={
        "scratch": "LeNet-5 from scratch",
        "random": "random weights, frozen",
        "pretrained": "pretrained, frozen",
        "tuned": "pretrained, last stage trained",
    },
    race_columns=("Who", "right", "accuracy", "seconds", "trained parameters", "epochs"),
    curve_columns=("Pictures of each class", "mean", "lowest to highest", "draws"),
    curve_bands=("highest of the draws", "mean", "lowest of the draws"),
    starters={"digits": "Handwritten digits", "signs": "Road signs"},
    starter_classes={
        "stop": "stop",
        "yield": "yield",
        "no_entry": "no entry",
        "speed_limit": "speed limit",
        "priority_road": "priority road",
        "roundabout": "roundabout",
    },
    customers=ENGLISH_CUSTOMERS,
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
    inside=ENGLISH_INSIDE,
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
    errors.ReadingTooLong: "读取前 {count} 张图片已经用了 {limit:.0f} 秒，这是一个 zip 的上限。请把图片缩小后再打包。",
    errors.EntryDamaged: "在 zip 中已损坏",
    errors.EntryUnsupported: "是链接或设备，不是文件",
    errors.EntryMethodUnknown: "以 {method} 方式压缩；只能读取普通 zip（Deflate）",
    errors.EntryInflated: "解压后会超过自身大小的 {ratio} 倍，没有图片是这样的",
    errors.EntryTooLarge: "大于 {limit:.0f} MB",
    errors.EntryNotAnImage: "不是 JPEG、PNG、WebP、GIF、BMP 或 AVIF 图片",
    errors.EntryLeftOut: "{path} 不能用：{reason}",
    errors.EntryOutsideClass: "不在任何类别文件夹中",
    errors.ClassNameEmpty: "类别还没有名称。请写一个，例如“猫”。",
    errors.ClassNameTooLong: "名称“{class_name}”有 {count} 个字符；最多 {limit} 个。请缩短。",
    errors.ClassNameTaken: "已有名为“{class_name}”的类别。请换一个名称。",
    errors.UnknownClass: "没有名为“{class_name}”的类别。请重新加载页面，查看现有的类别。",
    errors.UnknownPicture: "类别“{class_name}”有 {count} 张图片，没有第 {number} 张。请重新加载页面查看。",
    errors.CollectionBytesExceeded: "所有图片合计超过 {limit:.0f} MB。请少添加一些、缩小图片，或移除一些。",
    errors.StorageFull: "服务器的磁盘放不下另外的 {megabytes:.1f} MB。请移除不需要的内容，或稍后再试。",
    errors.NoDataset: "还没有可供学习的图片。请上传一个包含类别文件夹的 zip、向自建的类别添加图片，或选一个入门数据集。",
    errors.NoPictures: "zip 中没有可用的图片。请在其中为每个类别放一个图片文件夹。",
    errors.NothingUsable: "zip 中的 {count} 个文件都不能用。请在其中为每个类别放一个图片文件夹。问题：{reasons}",
    errors.TooFewClasses: (
        "可供区分的类别只有 {count} 个（{names}）；至少需要 {limit} 个。请添加一个文件夹或类别，或启用一个类别。"
    ),
    errors.TooManyClasses: "这样就有 {count} 个类别；最多使用 {limit} 个。请去掉一些。",
    errors.ClassTooSmall: "类别“{class_name}”有 {count} 张图片；每个类别至少需要 {limit} 张。请再添加一些。",
    errors.ClassWithoutTraining: "类别“{class_name}”在训练文件夹中没有图片。请在那里添加一些。",
    errors.TooManyPictures: "图片多于可以使用的 {limit} 张。请去掉一些。",
    errors.NoHeadFile: "还没有保存的分类头。请选择在这里导出的 zip，或其中的 head.safetensors。",
    errors.NotAHeadFile: "这个文件不是保存的分类头。请选择在这里导出的 zip，或其中的 head.safetensors。",
    errors.HeadFileTooLarge: (
        "文件有 {megabytes:.1f} MB；这里保存的分类头最多 {limit:.0f} MB。请选择自带层数更少的分类头。"
    ),
    errors.HeadFileDamaged: "保存的分类头已损坏或被改动（其中的 {part} 无法使用）。请重新导出。",
    errors.HeadFormatUnknown: "保存的分类头格式为“{found}”；这里读取格式 {known}。请重新训练并导出。",
    errors.HeadBackboneUnknown: "保存的分类头属于网络“{name}”；这里认识的有：{known}。请选择属于其中之一的分类头。",
    errors.HeadWeightsDiffer: (
        "保存的分类头是在 {backbone} 的另一套权重（{found}）上训练的，与这里使用的（{expected}）不同。请重新训练。"
    ),
    errors.HeadClassCount: "保存的分类头有 {count} 个类别；必须有 {low} 到 {high} 个。请换一个分类头。",
    errors.HeadClassName: (
        "保存的分类头中有类别名“{name}”；名称不得重复，且须为 1 到 {limit} 个可见字符。请改名后重新导出。"
    ),
    errors.HeadTensorMissing: "保存的分类头缺少张量“{name}”。请重新导出。",
    errors.HeadTensorUnknown: "保存的分类头中有不属于它的张量“{name}”。请重新导出。",
    errors.HeadTensorDiffers: "保存的分类头的张量“{name}”是 {found}；应为 {expected}。请重新导出。",
    errors.HeadTooManyTuned: (
        "保存的分类头带有 {millions:.1f} 百万个参数；这里最多 {limit:.0f} 百万个。请选择自带层数更少的分类头。"
    ),
    errors.HeadValuesWrong: "保存的分类头的张量“{name}”含有非有限或大得不可能的数值。请重新训练。",
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
    errors.OptionOutOfRange: "{option} 是 {value}；它必须在 {low} 到 {high} 之间。",
    errors.OptionNotWhole: "{option} 是 {value}；它必须是整数。",
    errors.OptionNotNumber: "{option} 是 {value}；它必须是数字。",
    errors.UnknownChoice: "{option} 是 {value}；请选择其中之一：{known}。",
    errors.NoHead: "这次会话里还没有训练好的分类头。请先训练一个。",
    errors.UnknownBlock: "{backbone} 没有名为“{name}”的带捷径的模块。请选择其中之一：{known}。",
    errors.SettingWrong: "{variable} 是 {value!r}；它必须是 {possible}。",
    errors.GradioDiffers: "gradio {version} {difference}；请使用 {tried}。",
    errors.RidgeIsLinear: ("闭式解只适用于不变特征上的一个线性层。请只训练分类头且不加隐藏层，或选择另一种训练方法。"),
    errors.TooManyTrained: (
        "训练 {backbone} 的这么多层需要 {millions:.1f} 百万个你自己的参数；这里最多 {limit:.0f} 百万个。"
        "请少训练一些，或选择更小的网络。"
    ),
    errors.NumberOfNetworks: "选了 {count} 个网络；请选 {low} 到 {high} 个。",
    errors.TooManyInBatch: "共有 {count} 张图片；一次最多读取 {limit} 张。请少选一些。",
    errors.RequestTooLarge: "一次发来的数据超过 {limit:.0f} MB。请每次少传一些文件，或换小一些的文件。",
    errors.UploadTooSlow: "上传太慢，已经放弃。请换更好的网络，或换小一些的文件再试。",
    errors.UploadUnreadable: "无法读取这次上传。请以文件表单的形式发送，每次最多 {limit} 个文件。",
    errors.TooManyUploads: "正在进行的上传已有 {count} 个。请过几秒再试。",
    errors.DiskFull: "现在没有存放上传文件的空间。请过几分钟再试。",
    errors.UploadGone: "“{name}”已经不在了：上传的文件读过就会删除。请重新上传。",
    errors.AddressRefused: "不会从网址（{address}）获取文件。请先下载该文件，再上传。",
    errors.BodyUnreadable: "请求不是可以读取的 JSON。",
    errors.TooManyPending: "你还有 {count} 个请求正在处理。请等它们完成后再试。",
    errors.QueueFull: "所有访客共有 {count} 个请求在排队。请过大约 {seconds:.0f} 秒再试。",
    errors.SessionExpired: "这次会话已经结束，其中的一切都已清除。请重新加载页面，重新开始。",
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
    privacy="你的图片和分类头只属于你：它们绝不会用来训练别人的模型。",
    session_left="如果不再使用，你的一切将在 <b>{minutes}</b> 分钟后被清除。",
    session_over="你的会话已经结束，你的一切都已清除。请重新加载页面，重新开始。",
    session_anew="你之前的会话已经结束，其中的一切都已清除。新的会话已经开始。",
    forget="立即清除我的一切",
    forget_sure="现在清除你的图片、类别和分类头吗？清除后无法恢复。",
    promise_title="你带来的东西会怎样处理",
    promise={
        "held": "保存的内容：你在这里看到的照片、用来学习的图片、网络由它们算出的结果，以及你的分类头。",
        "where": (
            "它们在这台服务器的内存里；用来学习的图片在一个没有名字的临时文件里，只有本程序能打开。上传的文件读完即删；"
            "若一直没有被读取，{unread} 分钟后也会删除。你要下载的内容放在一个别人猜不到名字的文件里。"
        ),
        "until": (
            "以下任何一种情况发生，它们就会被清除：你按下按钮；{idle} 分钟没有使用；关闭页面 {closed} 分钟后；服务器重新启动。"
            "如果大家带来的东西超出服务器的容量，闲置最久的会更早被清除。"
        ),
        "who": "使用本页面的其他人都看不到它们。运行服务器的人可以查看服务器的内存；除此之外没有别人能看到。",
        "use": "它们绝不会用来训练别人的模型：每位访客的分类头只属于自己，而下面的网络对所有人都一样，从不改变。",
        "export": "你导出的分类头只包含数字和类别名称，不含任何图片。",
        "logs": "它们不会写入日志，不会用于统计，也不会发送到别处；本页面不使用 Cookie。",
        "people": "未经他人许可，请不要上传他人的照片。",
    },
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
        "网络保持不变；只有它上面新的最后一层（分类头）从你的图片中学习。每个类别十到二十张图片就能看到效果。准备好图片，按“训练”，"
        "然后看看它错在哪里、为什么错。"
    ),
    archive="包含类别文件夹的 zip",
    dataset_report="{classes} 个类别，{count} 张图片",
    dataset_class="类别",
    dataset_total="合计",
    splits={"train": "用于学习（训练）", "validation": "用于检验（验证）", "test": "测试"},
    curves={"train": "训练", "validation": "验证"},
    skipped="有 {count} 个文件未使用",
    skipped_more="还有 {count} 个",
    no_dataset=("还没有图片：上传一个 zip、自己建类别，或选一个现成的数据集。每个类别至少两张。"),
    next_train="准备好了：请按“训练”。",
    epochs="轮数（epoch）",
    epochs_help=("把全部训练图片看多少遍。"),
    train="训练",
    stop="停止",
    stopping="正在停止……",
    starting="正在开始……",
    waiting="正在等待其他训练：前面还有 {count} 个。",
    waiting_for="正在等待其他训练：前面还有 {count} 个，大约 {seconds:.0f} 秒。",
    reading=("正在看图片：{total} 次中的第 {done} 次。"),
    epoch_status="第 {epoch} 轮，共 {num_epochs} 轮：损失 {loss:.3f}，验证图片中对了 {percent:.1f}%。",
    trained=(
        "完成，用时 {seconds:.1f} 秒：{count} 张验证图片中对了 {correct} 张（{percent:.1f}%，95% 区间 {low:.1f} 到 {high:.1f}%）。"
    ),
    trained_test=("测试：{count} 张中对了 {correct} 张（{percent:.1f}%，{low:.1f} 到 {high:.1f}%）。"),
    trained_next="你的分类头已经启用：请看标签页 1 和 3。",
    loss="损失（交叉熵）",
    accuracy_axis="准确率",
    epoch_axis="轮",
    curve_summary=(
        "第 {epoch} 轮之后：损失 {train_loss:.3f}（训练）、{val_loss:.3f}（验证）；准确率 "
        "{train_accuracy:.1%}（训练）、{val_accuracy:.1%}（验证）。"
    ),
    step_pictures="第一步 · 图片",
    step_training="第二步 · 训练",
    zip_tab="文件夹的 zip",
    classes_tab="在这里建类别",
    starters_tab="现成的数据集",
    classes_help="先给类别起名，再从设备或摄像头添加图片。至少要有两个类别。",
    new_class="类别名称",
    new_class_hint="例如：我的猫",
    add_class="添加类别",
    chosen_class="图片放进哪个类别",
    class_pictures="这个类别的图片",
    class_camera="或用摄像头录，每秒两张；再按一次结束",
    recorded="{name}：{count} 张图片。",
    rename_class="改成上面的名称",
    remove_class="删除这个类别",
    starters_help="不需要上传的数据集：8 × 8 的手写数字扫描，以及在这里用随机种子画出的交通标志。",
    switch_classes="参加训练的类别",
    class_off="（未启用）",
    drop_pictures="清除这些图片",
    thumbnail_alt="图片 {name}",
    warn_small="少于 10 张图片：{names}。结果会不稳定。",
    warn_imbalance="最大的类别是最小类别的 {times:.1f} 倍：只看准确率会误导。",
    warn_duplicates="{count} 张图片几乎相同，共 {groups} 组。每组都放在划分的同一侧。",
    warn_across_splits="{count} 张保留的图片与用于学习的图片几乎相同，例如 {first} 和 {second}：结果会偏好。",
    warn_across_classes="{count} 张图片出现在两个类别中，例如 {first} 和 {second}（{classes}）：其中一个标签是错的。",
    warn_split_by_picture="这些类别的图片几乎都一样：{names}。它们分在划分的两侧，结果会偏好。",
    trains_label="训练哪些层",
    trains_help="训练得越深越慢，也需要更多图片。被训练的部分是只属于你的副本。",
    head_builder="搭建你自己的分类头（作业）",
    head_builder_help="没有隐藏层就是课上的 nn.Linear。每个隐藏层由 Linear、ReLU 和 dropout 组成。更多层会更好吗？",
    hidden_layers="隐藏层数",
    width="隐藏层宽度",
    dropout="Dropout（丢弃率）",
    recipe_title="训练方法：优化器、轮数、数据增强",
    lesson_recipe="课上的方法",
    suggested_recipe="建议的方法",
    optimizer="优化器",
    batch_size="批大小",
    learning_rate="学习率",
    weight_decay="权重衰减",
    flips="加上镜像",
    crops="每张的随机裁剪数",
    patience="早停：耐心轮数",
    patience_help="验证损失这么多轮没有降低就停止，并保留最好的一轮。0 表示不早停。",
    seed="随机种子",
    views_title="训练时一张图片的样子：",
    view_plain="原图",
    view_flip="镜像",
    view_crop="裁剪",
    trained_count="这将训练 {count:,} 个参数，用于 {classes} 个类别；{backbone} 共有 {total:,} 个。",
    code_title="正在训练的代码",
    code_help="完整可运行：把图片放进 data/train 和 data/val，每个类别一个文件夹。",
    time_left="大约还需 {seconds:.0f} 秒。",
    batch_status="第 {epoch} 轮：{total} 批中的第 {done} 批。",
    trained_early="第 {chosen} 轮（共 {epochs} 轮）的验证损失最低，保留的是它：它由验证图片选出，所以验证结果偏好。",
    trained_cut="到了时间上限，在 {num_epochs} 轮中的第 {epochs} 轮结束。",
    results="第三步 · 结果：对在哪里，错在哪里",
    results_split="图片",
    results_headline="{split}图片 <strong>{count} 张中对了 {correct} 张</strong>：{percent:.1f}%。图片这么少，真正的比例在 {low:.1f}% 到 {high:.1f}% 之间（95% Wilson 区间）；一张图片就是 {points:.2f} 个百分点。",
    results_test_note="没有用这些图片做过任何选择。",
    results_validation_note="这是验证图片：一旦用它们来挑选方法，结果就会偏好。",
    confusion_help="行：图片是什么。列：分类头的回答。点击数字查看这些图片。",
    confusion_corner="实际 ↓ · 回答 →",
    cell_label="{count} 张{truth}，被认作{answer}",
    cell_title="{truth}，被认作{answer}：{count} 张",
    detail_hint="点击一张图片，看看什么支持哪个类别，以及最相似的训练图片。",
    detail_title="{name}：实际是 {truth}",
    speaks_for="支持“{name}”的地方",
    speaks_help="类别图（Grad-CAM）：亮处是高层支持该类别的证据所在，每张图各用自己的刻度。",
    alike_title="最相似的训练图片（特征的余弦相似度）",
    classes_title="各类别：精确率和召回率",
    reliability_title="它说 90% 的时候，真的有 90% 是对的吗？",
    reliability_help="柱：它有那么确定时，答对的比例。虚线上两者相同。把 logits 除以一个在验证图片上拟合的温度，只改变它有多确定，不改变答案（Guo 等，2017）。",
    reliability="平均相差 {error:.1f} 个百分点。用温度 {temperature:.2f} 后为 {after:.1f}。",
    reliability_alt="可靠性图；数字见下表",
    novelty_title="都不是：它不认识什么？",
    novelty_help="分类头总会用它的某个类别来回答。图片的特征离最近的类别均值有多远，可以看出它像不像学过的东西。",
    novelty_share="接受百分之多少的验证图片",
    novelty_hint="移动滑块即可查看。",
    novelty="距离取 {threshold:.3f} 时，{known} 张验证图片中接受 {accepted} 张，标签页 1 的 {strangers} 张示例图片中拒绝 {rejected} 张。",
    novelty_photo_known="你的照片（距离 {distance:.3f}）被接受。",
    novelty_photo_strange="你的照片（距离 {distance:.3f}）都不是。",
    projection_title="二维的特征",
    projection_help="每个点是一张图片：把它的特征沿变化最大的两个方向铺平（PCA）。在这里分得开的类别就容易分。",
    race="比赛：预训练有用吗？",
    race_help="同样的图片、同样的划分，各自从看第一张图片开始计时：从零训练的 LeNet-5；权重随机且不变的这个网络加分类头；预训练且不变加分类头；预训练并连同最后阶段一起训练。",
    start_race="开始比赛",
    seconds_axis="秒",
    few="多少张图片就够了？",
    few_help="每个类别用 1、2、5、10、20 张和全部训练图片，各抽十次，用闭式解得到分类头，都在同样的验证图片上测量。",
    start_few="试一试",
    pictures_axis="每个类别的训练图片数",
    all_pictures="全部",
    experiment_running="正在进行……",
    experiment_done="完成。",
    keep="第四步 · 保存",
    keep_help="一个 zip：分类头、不依赖本页面即可运行的脚本、模型卡和自检；不含你的任何图片。随时可以再带回来。",
    export="导出分类头",
    exported="导出的分类头（zip）",
    import_head="带回分类头（zip 或 .safetensors）",
    imported="分类头已启用：{names}。打开别人的分类头会看到他们的类别名，但不会运行任何代码。",
    make_report="这次训练的报告",
    report_file="报告（一个 HTML 文件）",
    report_title="训练报告",
    trains={"head": "只训练分类头", "last_stage": "分类头和最后阶段", "everything": "全部（课上的代码）"},
    optimizers={"sgd": "SGD，动量 0.9（课上的）", "adamw": "AdamW（自适应步长）", "ridge": "闭式解：float64 岭回归"},
    split_names={"train": "训练", "validation": "验证", "test": "测试"},
    class_columns=("类别", "图片", "回答", "精确率", "召回率", "F1 值"),
    reliability_columns=("有多确定", "图片", "平均确定度", "答对"),
    contenders={
        "scratch": "从零训练的 LeNet-5",
        "random": "随机权重，不变",
        "pretrained": "预训练，不变",
        "tuned": "预训练，训练最后阶段",
    },
    race_columns=("参赛者", "答对", "准确率", "秒", "训练的参数", "轮"),
    curve_columns=("每类图片数", "平均", "最低到最高", "抽取次数"),
    curve_bands=("最高", "平均", "最低"),
    starters={"digits": "手写数字", "signs": "交通标志"},
    starter_classes={
        "stop": "停车",
        "yield": "让行",
        "no_entry": "禁止驶入",
        "speed_limit": "限速",
        "priority_road": "优先道路",
        "roundabout": "环岛",
    },
    customers=CHINESE_CUSTOMERS,
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
    inside=CHINESE_INSIDE,
    error_messages=_CHINESE_ERRORS,
)
