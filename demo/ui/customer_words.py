"""What the two customers' demonstration says, in English and in Simplified Chinese; `Words.customers` holds it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CustomersWords:
    """One network, two customers: what happens to whom."""

    title: str
    help: str
    let_in: str
    names: tuple[str, str]
    opening: str
    bringing: str
    training: str
    asking: str
    leaving: str
    done: str
    crossed: str

    arrivals: str
    brought: str

    heads: str
    heads_help: str
    head_facts: tuple[str, str, str, str, str, str]

    asked: str
    asked_help: str
    asked_picture: str
    asked_truth: str
    says: str
    answer: str

    fingerprints: str
    fingerprints_help: str
    moment: str
    shared_network: str
    head_of: str
    moments: tuple[str, str, str, str]
    no_head: str
    head_gone: str

    held: str
    held_help: str
    session_of: str
    pictures_of: str

    departure: str
    departure_help: str
    checked: str
    finding: str
    checks: tuple[str, str, str, str, str]
    yes: str
    no: str


ENGLISH_CUSTOMERS = CustomersWords(
    title="Two customers, one network",
    help=(
        "A vision team does not train a network anew for each customer: one frozen network serves them all, and each "
        "customer brings a little data and gets a small head of their own. Here two customers come in, each with a "
        "session like yours; see whether anything crosses between them, and what stays when one of them leaves."
    ),
    let_in="Let two customers in",
    names=("Customer A", "Customer B"),
    opening="The customers are on their way: one demonstration runs at a time.",
    bringing="{customer} comes in with pictures: {pictures}.",
    training="{customer}: a head is trained on this customer's pictures alone.",
    asking="Both heads are asked about the same pictures.",
    leaving="{customer} leaves, and the session ends.",
    done="Done: nothing crossed, and both customers have left. Your own session was not touched.",
    crossed="Something crossed: one of the checks below has failed.",
    arrivals="Each brings a little data",
    brought="{pictures}: {count} pictures of {classes} classes",
    heads="Each gets a head of their own",
    heads_help="The network finds edges, parts and shapes for both. What is trained is only a layer on top of it.",
    head_facts=(
        "Classes",
        "Pictures",
        "Validation pictures right",
        "Parameters of the shared network",
        "Parameters of this customer's head",
        "The head in percent of the network",
    ),
    asked="The same pictures, asked of both heads",
    asked_help=(
        "A head answers with its own customer's classes, for it has never met any others. On the other customer's "
        "pictures it is therefore always wrong, and it can be quite sure."
    ),
    asked_picture="Picture",
    asked_truth="It is",
    says="{customer}'s head says",
    answer="{name} ({percent:.0f}%)",
    fingerprints="The proof: fingerprints",
    fingerprints_help=(
        "The first twelve digits of a SHA-256 of all numbers of a network or head: were one of them changed, however "
        "little, the digits would be others."
    ),
    moment="When",
    shared_network="Shared network",
    head_of="{customer}'s head",
    moments=("Before", "After A's training", "After B's training", "After A has left"),
    no_head="–",
    head_gone="gone",
    held="What each session holds",
    held_help="Counted among its pictures, its features and what its head was trained on, just before A leaves.",
    session_of="Session of",
    pictures_of="{customer}'s pictures",
    departure="Customer A leaves",
    departure_help="With A's session go A's pictures, features and head. Then B's head was asked everything again.",
    checked="Is it true?",
    finding="Found",
    checks=(
        "A's session cannot be found any more",
        "None of A's pictures, features and heads is left in it",
        "B's head has the same fingerprint as before",
        "B's head gives all pictures the same probabilities, to the last digit",
        "The shared network is the same as before the customers came",
    ),
    yes="yes",
    no="no",
)

CHINESE_CUSTOMERS = CustomersWords(
    title="两个客户，一个网络",
    help=(
        "视觉团队不会为每个客户重新训练一个网络：一个冻结的网络服务所有客户，每个客户只带来少量数据，得到一个自己的小分类头。"
        "这里有两个客户进来，各有一个和你一样的会话；看看他们之间有没有任何东西串到一起，其中一个离开后还剩下什么。"
    ),
    let_in="请两个客户进来",
    names=("客户 A", "客户 B"),
    opening="客户正在路上：一次只进行一场演示。",
    bringing="{customer} 带着图片进来：{pictures}。",
    training="{customer}：只用这个客户自己的图片训练一个分类头。",
    asking="用同样的图片问两个分类头。",
    leaving="{customer} 离开，会话结束。",
    done="完成：没有任何东西串到一起，两个客户都已离开。你自己的会话没有被动过。",
    crossed="有东西串到一起了：下面有一项检查没有通过。",
    arrivals="各自带来少量数据",
    brought="{pictures}：{classes} 个类别，{count} 张图片",
    heads="各自得到自己的分类头",
    heads_help="网络为两者找出边缘、部件和形状。训练的只是它上面的一层。",
    head_facts=(
        "类别",
        "图片",
        "验证图片答对",
        "共享网络的参数",
        "这个客户的分类头的参数",
        "分类头占网络的百分比",
    ),
    asked="同样的图片，问两个分类头",
    asked_help=(
        "分类头只会用自己客户的类别来回答，因为它没见过别的。所以对另一个客户的图片，它总是错的，而且可能相当确定。"
    ),
    asked_picture="图片",
    asked_truth="实际是",
    says="{customer} 的分类头说",
    answer="{name}（{percent:.0f}%）",
    fingerprints="证据：指纹",
    fingerprints_help=(
        "网络或分类头全部数值的 SHA-256 的前十二位：只要其中一个数值改变，哪怕只变一点点，这些字符就会不同。"
    ),
    moment="时刻",
    shared_network="共享的网络",
    head_of="{customer} 的分类头",
    moments=("开始之前", "A 训练之后", "B 训练之后", "A 离开之后"),
    no_head="–",
    head_gone="已清除",
    held="每个会话里有什么",
    held_help="在 A 离开之前，数一数它的图片、它的特征和它的分类头训练时用过的图片。",
    session_of="谁的会话",
    pictures_of="{customer} 的图片",
    departure="客户 A 离开",
    departure_help="A 的图片、特征和分类头随 A 的会话一起清除。然后把所有图片又问了一遍 B 的分类头。",
    checked="是这样吗？",
    finding="结果",
    checks=(
        "再也找不到 A 的会话",
        "其中没有留下 A 的任何图片、特征或分类头",
        "B 的分类头的指纹和之前一样",
        "B 的分类头对所有图片给出的概率和之前一样，直到最后一位",
        "共享的网络和客户到来之前一样",
    ),
    yes="是",
    no="否",
)
