"""How rare a character is in a language: the bits that it would take in a code made for that language.

They are what tells one encoding of East Asia from another, because the same bytes are common characters in one and rare
ones in another. The national standards put the common characters into a first level of their own; the tables have the
commonest of those, of newspapers and of the names of things.
"""

import unicodedata

_CHINESE = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然"
    "家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把"
    "机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果"
    "加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔"
    "更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展"
    "马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共"
    "确传师观清今切院让识候带导争运笔飞风步改收根干造言联持组每济车亲极林服快办议往元英士证近失转夫令准布始怎呢存未"
    "远叫台单影具罗字爱击流备兵连调深商算质团集百需价花党华城石级整府离况亚请技际约示复病息究线似官火断精满支视消越"
    "器容照须九增研写称企八功吗包片史委乎查轻易早曾除农找装广显吧阿李标谈吃图念六引历首医局突专费号尽另周较注语仅考"
    "落青随选列武红响虽推势参希古众构房半节土投某案黑维革划敌致陈律足态护七兴派孩验责营星够章音跟志底站严巴例防族供"
    "效续施留讲型料终答紧黄绝奇察母京段依批群项故按河米围江织害斗双境客纪采举杀攻父苏密低朝友诉止细愿千值仍男钱破网"
    "热助倒育属坐帝限船脸职速刻乐否刚威毛状率甚独球般普怕弹校苦创伪猫狗鸟鱼牛羊猪鸡鸭鹅兔虎狮熊猴鹿狐狼鼠蛙龟蛇鳄蝶"
    "蜂蚁蛛蜻蜓虫蚊蝇蜗鲨鲸豚蟹虾鹰鸽雀鹤燕鹦鹉贝蚕驴骡骆驼豹猩猿獾貂鼬狸獭犬鲤鲫鳗鲜苹蕉橙橘柑瓜葡萄莓樱桃梨柠檬菠"
    "萝芒榴莲荔枝椰柿枣杏梅蓝番茄豆角卜菜芹葱蒜姜菇玉薯茶咖啡奶酒汤饭饺粥饼糕糖油盐醋肉蛋肠烤烧炒煮炸腐粽锅串玫瑰菊"
    "荷牡丹葵郁香兰竹松柏柳杨杉桂枫梧桐叶草木苗禾稻麦棉茎芽刺仙掌蒲藤苔汽轿卡货轮帆舰艇摩托铁轨架救警坦炮枪箭桥隧塔"
    "楼屋宫殿庙寺墙窗灯梯脑键盘耳镜伞铅钢橡皮尺剪刀剑桌椅凳床柜沙冰箱洗衣帽鞋袜裤裙杯碗筷勺瓶罐盒袋纸玻璃塑铝铜银钉"
    "锤锯扳螺丝绿紫灰粉棕圆曲锐钝负垃圾废旧厨余毒湿池瓷旗帜喜怒哀惧悲伤惊讶厌恶哭笑甜酸辣脏净晴阴雨雪云雾雷霜露晨午"
    "夜昼春夏秋冬季湖溪泉瀑岛滩漠岩峰谷田野园村镇街巷室厅堂厕店馆宿舍操幼童爸妈爷哥姐弟妹叔嘴唇鼻牙齿舌额眉脚腿臂肩"
    "腰背胸腹甲肤血骨肺肝胃肾瘤炎癌症疹斑锈霉裂缝痕缺陷孔洞焊损坏健康患乙丙丁戊班测试训练景拳握赞姿跑跳躺画楷隶篆砚"
    "墨宣绣戏剧琴棋鼓笛箫筝琵琶乒乓篮排羽泳棒绳"
)
_TRADITIONAL = frozenset(
    "貓鳥魚豬雞鴨鵝獅龜鱷蟻蟲蠅蝸鯊鯨蝦鷹鴿鶴鸚鵡貝蠶驢騾駱駝鯉鯽鰻鮮蘋檸蘿蔔蘆蔥薑蔬湯飯麵條餃餅燒鍋腸鹽紅綠藍黃銀"
    "鐵銅鋁鋼釘錘鋸鬱蘭楊楓葉莖櫻槤鳳異棗龍鬚樹車輛輪艦軌橋樓宮廟牆燈電腦鍵盤標機鏡錶傘書鉛擦劍櫃襪褲紙膠鈕絲圓線銳"
    "鈍負廢舊廚餘濕乾開難過憤驚訝厭惡懼傷陰雲霧島灘園鎮鄉間廳廁館場師醫護農臉齒頭髮腳膚腫癥黴縫劃損壞組號類別樣測試"
    "驗證訓練資夾檔讚勢舉隸畫繡戲劇網籃這個們來為國說時會對發後裡種經學現當沒動還進實軍無與長業將兩問點關應戰體產內"
    "話給門東聲員論處義幾認係氣題爾變總數報結務計質許統區隊達強權設記據領傳觀識帶導爭運筆風聯親極議準遠單羅愛擊備連"
    "調團價華級離況亞請際約復斷滿視盡歷專費較註語選響雖參眾節構敵態興責營夠嚴續講終緊絕項圍織雙紀殺蘇訴細願錢熱屬職"
    "狀獨彈創隻臺灣麼啊嗎哪妳您"
)
_JAPANESE = frozenset(
    "馬鶏兎亀鮫鳩桜栗苺蓮薔薇実麺卵塩酢転飛駅窓規冷蔵庫濯鞄靴皿箸缶赤緑黒円丸左右短顔泣徒曜曇川森砂町畑良検査証験阪"
    "漢仮源燃"
)

_KOREAN = frozenset(
    "이가고기나다라마바사자차카타파하구국과교그금김강개거건검게겨결경계공관광군권귀규극근글길꽃꿀끼난남내너네녀년노"
    "논농높누눈뉴느늘능니님단달담당대더데도독동돼두둥뒤드득들등디따딸땅때떡뚜란람랑래량러런레려력련령로록론료루류륙"
    "르른름리린림막만말맑망매머먹멀메면명모목몸무문물미민밀박반발밤밥방배백버번벌범법벚벽변별병보복본봄봉부북분불붉"
    "브블비빈빙빛빨빵뼈새색생서석선설성세소속손솔송쇠수숙순술숨숲스슬습승시식신실심싸쌀쓰씨아악안알암압앞애액야약양"
    "어억언얼엄업여역연열염영예오옥온올옷와완왕외왼요용우운울웃원월위유육윤율은음읍의인일임입잎작잔잠장재저적전절점"
    "접정제조족종좋좌주죽준줄중쥐즈증지직진질집짜째쪽찌찰참창채책처천철첫청체초촌총최추축출춤충취치친침칼컴컵커케코"
    "콩쿠크큰키탑탕태터텔토통트특티틴판팔패팬팽퍼펀펜펭편평포표푸풀품풍프플피필학한할함합항해핵행향허험헤혀현형호혼"
    "홍화환활황회효후휴흐흑흙흠희흰히힘닭뱀곰젖갈감값각간같격골곡굴궁귤균껍꼬끝낙낚납냉녹닥닫답덕돌됨둘딱띠렌롱룡룩"
    "릇릉릭릿맛맹못밭벼봇붕뽕삼삵상샘섬섭센셔셀쇼슈싱썰쑥엉엘엔옹욕웅윗잉잣쟁젓졸쥬짐짚쫄찜챙촛캐캔캥컬콜퀴킥킬택탄"
    "탈탐털텐투튤튼틀팀팥폐폭폰푼핑햄헬훈휘흥흘있없했않됐"
)
_PUNCTUATION = frozenset("（）、，。：！？·・～—–“”‘’《》【】「」『』　")
_PUNCTUATION_BITS = 13.0
STRANGE_BITS = 24.0  # what nobody writes in a name: frames, rare symbols

# Bits of the 19 first consonants, 21 vowels and 28 last consonants (the first is none) of Korean syllables.
_INITIALS = (3, 6, 4, 4, 7, 4, 4, 4, 8, 3, 8, 2, 4, 8, 5, 5, 5, 5, 4)
_MEDIALS = (2, 4, 6, 10, 3, 5, 5, 8, 3, 6, 8, 7, 6, 4, 7, 10, 7, 6, 4, 7, 3)
_FINALS = (1, 4, 9, 11, 3, 10, 9, 8, 3, 8, 9, 9, 11, 11, 11, 10, 4, 5, 10, 5, 7, 3, 9, 8, 9, 8, 8, 9)

_LATIN = ((4.0, "é"), (4.5, "äöü"), (5.5, "ßèàáíóñçã"), (6.5, "åøêâôúæîë"), (8.0, "õïûœùòì"))
_CYRILLIC = ((3.5, "оеаинтср"), (4.5, "влкмдпуя"), (5.5, "ыьгзбчйхжш"), (6.5, "юцщэфё"), (8.0, "ъіїєґў"))
_LETTERS = {
    letter: (script, bits)
    for script, groups in (("LATIN", _LATIN), ("CYRILLIC", _CYRILLIC))
    for bits, letters in groups
    for letter in letters
}


def rate_chinese(character: str) -> float:
    """Return the bits of a character beyond ASCII in Chinese of the mainland."""
    code = int.from_bytes(character.encode("gb18030"), "big")
    if character in _CHINESE:
        return 10.5
    if 0xB0A1 <= code <= 0xD7F9 and code & 0xFF > 0xA0:  # the first level of GB 2312
        return 13.4
    if 0xD8A1 <= code <= 0xF7FE and code & 0xFF > 0xA0:
        return 16.0
    if character in _PUNCTUATION or 0xA3A1 <= code <= 0xA3FE:
        return _PUNCTUATION_BITS
    return 22.0 if code < 0x10000 else 30.0


def rate_traditional(character: str) -> float:
    """Return the bits of a character of code page 950 in Chinese of Taiwan and Hong Kong."""
    code = int.from_bytes(character.encode("cp950"), "big")
    if character in _TRADITIONAL or character in _CHINESE:
        return 10.5
    if 0xA440 <= code <= 0xC67E:  # the first level of Big5
        return 14.0
    if character in _PUNCTUATION:
        return _PUNCTUATION_BITS
    return 18.5 if code >= 0xC940 else 22.0


def rate_japanese(character: str) -> float:
    """Return the bits of a character of code page 932 in Japanese."""
    if "ぁ" <= character <= "ゖ" or "ァ" <= character <= "ヺ" or character in "ー々":
        return 8.0
    code = int.from_bytes(character.encode("cp932"), "big")
    is_first_level = 0x889F <= code <= 0x9872  # of JIS X 0208
    if character in _JAPANESE or character in _CHINESE or character in _TRADITIONAL:
        return 11.5 if is_first_level else 13.0
    if is_first_level:
        return 14.0
    if character in _PUNCTUATION:
        return _PUNCTUATION_BITS
    if code < 0x100:  # half-width katakana
        return 15.0
    return 18.0 if 0x989F <= code <= 0xEAA4 else STRANGE_BITS


def rate_korean(character: str) -> float:
    """Return the bits of a character of code page 949 in Korean."""
    if "가" <= character <= "힣":
        rest, final = divmod(ord(character) - ord("가"), len(_FINALS))
        initial, medial = divmod(rest, len(_MEDIALS))
        bits = float(_INITIALS[initial] + _MEDIALS[medial] + _FINALS[final])
        return min(bits, 9.5) if character in _KOREAN else bits
    if character in _PUNCTUATION:
        return _PUNCTUATION_BITS
    return 21.0 if "一" <= character <= "鿿" or "豈" <= character <= "\ufaff" else STRANGE_BITS


def rate_letter(letter: str) -> tuple[str, float]:
    """Return the script of a letter beyond ASCII, as Unicode calls it, and the letter's bits in it."""
    known = _LETTERS.get(letter.lower())
    if known:
        return known
    script = unicodedata.name(letter, "").partition(" ")[0]
    return script, 11.0 if script == "LATIN" else 8.0
