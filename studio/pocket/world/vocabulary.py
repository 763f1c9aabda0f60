"""Everything the world can contain, with the English and Chinese words for it.

Each attribute value is a plain English key.  Its `Word` holds short *tags* (used in comma lists
and as attributes) and *phrases* (used inside a sentence), in each language.
"""

from dataclasses import dataclass
from typing import Final, Literal

Language = Literal["en", "zh"]


@dataclass(frozen=True)
class Word:
    """Ways of saying one attribute value; the first of each tuple is the canonical one."""

    en: tuple[str, ...]
    zh: tuple[str, ...]
    en_phrases: tuple[str, ...] = ()
    zh_phrases: tuple[str, ...] = ()

    def tags(self, language: Language) -> tuple[str, ...]:
        """Short forms for a comma list."""
        return self.en if language == "en" else self.zh

    def phrases(self, language: Language) -> tuple[str, ...]:
        """Forms that fit inside a sentence; the tags where there are none."""
        return (self.en_phrases if language == "en" else self.zh_phrases) or self.tags(language)


@dataclass(frozen=True)
class Noun(Word):
    """A countable subject: English plurals match `en` one by one; Chinese has a measure word."""

    plurals: tuple[str, ...] = ()
    measure: str = "个"


def _noun(en: str, plurals: str, zh: str, measure: str) -> Noun:
    return Noun(
        tuple(en.split("|")), tuple(zh.split("|")), (), (), tuple(plurals.split("|")), measure
    )


def _word(en: str, zh: str, en_phrases: str = "", zh_phrases: str = "") -> Word:
    def split(text: str) -> tuple[str, ...]:
        return tuple(text.split("|")) if text else ()

    return Word(split(en), split(zh), split(en_phrases), split(zh_phrases))


KINDS: Final[dict[str, Noun]] = {
    "house": _noun("house|cottage", "houses|cottages", "房子|小屋", "座"),
    "castle": _noun("castle", "castles", "城堡", "座"),
    "tree": _noun("tree", "trees", "树|大树", "棵"),
    "sailboat": _noun(
        "sailboat|sailing boat|boat", "sailboats|sailing boats|boats", "帆船|小船", "艘"
    ),
    "lighthouse": _noun("lighthouse", "lighthouses", "灯塔", "座"),
    "balloon": _noun(
        "hot-air balloon|balloon|hot air balloon",
        "hot-air balloons|balloons|hot air balloons",
        "热气球|气球",
        "只",
    ),
    "windmill": _noun("windmill", "windmills", "风车", "座"),
    "cat": _noun("cat|kitten", "cats|kittens", "猫|小猫", "只"),
    "dog": _noun("dog|puppy", "dogs|puppies", "狗|小狗", "只"),
    "rabbit": _noun("rabbit|bunny", "rabbits|bunnies", "兔子|小兔", "只"),
    "bird": _noun("bird", "birds", "鸟|小鸟", "只"),
    "fish": _noun("fish", "fish", "鱼|小鱼", "条"),
    "whale": _noun("whale", "whales", "鲸鱼|鲸", "头"),
    "butterfly": _noun("butterfly", "butterflies", "蝴蝶", "只"),
    "flower": _noun("flower", "flowers", "花|花朵", "朵"),
    "mushroom": _noun("mushroom|toadstool", "mushrooms|toadstools", "蘑菇", "朵"),
    "car": _noun("car", "cars", "汽车|小汽车", "辆"),
    "train": _noun("train|locomotive", "trains|locomotives", "火车", "列"),
    "rocket": _noun("rocket|spaceship", "rockets|spaceships", "火箭", "枚"),
    "bridge": _noun("bridge", "bridges", "桥|拱桥", "座"),
    "snowman": _noun("snowman", "snowmen", "雪人", "个"),
    "umbrella": _noun("umbrella|parasol", "umbrellas|parasols", "雨伞|伞", "把"),
    "teapot": _noun("teapot", "teapots", "茶壶", "把"),
    "tent": _noun("tent", "tents", "帐篷", "顶"),
}

COLOURS: Final[dict[str, Word]] = {
    "red": _word("red|scarlet", "红色|红"),
    "orange": _word("orange", "橙色|橘色"),
    "yellow": _word("yellow", "黄色|黄"),
    "green": _word("green", "绿色|绿"),
    "teal": _word("teal|turquoise", "青色|蓝绿色"),
    "blue": _word("blue", "蓝色|蓝"),
    "purple": _word("purple|violet", "紫色|紫"),
    "pink": _word("pink", "粉色|粉红色"),
    "brown": _word("brown", "棕色|褐色"),
    "white": _word("white", "白色|白"),
    "grey": _word("grey|gray", "灰色|灰"),
    "black": _word("black", "黑色|黑"),
}

PLACES: Final[dict[str, Word]] = {
    "mountains": _word(
        "mountains|mountain",
        "群山|山|高山",
        "in the mountains|in front of mountains",
        "在群山前|在山里",
    ),
    "hills": _word(
        "hills|rolling hills", "丘陵|山丘", "on the hills|in the rolling hills", "在丘陵上|在山丘上"
    ),
    "desert": _word(
        "desert|sand dunes", "沙漠|沙丘", "in the desert|among sand dunes", "在沙漠里|在沙漠中"
    ),
    "sea": _word(
        "sea|ocean", "大海|海|海洋", "on the sea|at sea|on the ocean|by the sea", "在海上|在大海上"
    ),
    "city": _word("city|town", "城市|都市", "in the city|in a city|in town", "在城市里|在城里"),
    "forest": _word("forest|woods", "森林|树林", "in the forest|in the woods", "在森林里|在树林里"),
    "snowfield": _word(
        "snowfield|snowy field", "雪地|雪原", "on a snowfield|in a snowy field", "在雪地上|在雪原上"
    ),
    "meadow": _word(
        "meadow|flower meadow|grassland",
        "草地|草原|花田",
        "in a meadow|in the meadow|on the grass",
        "在草地上|在草原上",
    ),
}

TIMES: Final[dict[str, Word]] = {
    "dawn": _word(
        "dawn|sunrise|early morning",
        "黎明|日出|清晨",
        "at dawn|at sunrise|in the early morning",
        "黎明时分|日出时|清晨",
    ),
    "noon": _word(
        "noon|midday|day", "正午|中午|白天", "at noon|at midday|by day", "正午时分|中午|白天"
    ),
    "afternoon": _word(
        "afternoon|golden hour", "下午|午后", "in the afternoon|at golden hour", "下午|午后"
    ),
    "sunset": _word(
        "sunset|dusk|evening",
        "日落|黄昏|傍晚",
        "at sunset|at dusk|in the evening",
        "日落时分|黄昏|傍晚|日落时",
    ),
    "night": _word(
        "night|midnight",
        "夜晚|夜里|深夜|晚上",
        "at night|by night|at midnight",
        "夜晚|夜里|深夜|晚上",
    ),
}

WEATHERS: Final[dict[str, Word]] = {
    "clear": _word(
        "clear sky|clear", "晴朗|晴空|晴朗的天空", "under a clear sky", "天空晴朗|晴空下"
    ),
    "clouds": _word(
        "clouds|cloudy", "多云|云|白云", "with clouds|under a cloudy sky", "天上有云|飘着白云"
    ),
    "rain": _word("rain|rainy", "雨|雨天|下雨", "in the rain|in rain", "下着雨|在雨中"),
    "snow": _word(
        "snow|falling snow|snowing", "下雪|飘雪|雪", "in the snow|in falling snow", "下着雪|飘着雪"
    ),
    "rainbow": _word("rainbow", "彩虹", "with a rainbow|under a rainbow", "有彩虹|天上挂着彩虹"),
    "stars": _word(
        "stars|starry sky",
        "星星|星空|繁星",
        "under the stars|under a starry sky|with stars",
        "满天繁星|星空下",
    ),
    "moon": _word(
        "moon|moonlight|full moon",
        "月亮|月光|明月",
        "under the moon|in the moonlight|with a moon",
        "月光下|挂着月亮",
    ),
}

STYLES: Final[dict[str, Word]] = {
    "flat": _word("flat design|flat style|flat illustration|flat", "扁平风格|扁平插画|扁平"),
    "watercolour": _word(
        "watercolour|watercolor|watercolour painting|watercolor painting", "水彩|水彩画|水彩风格"
    ),
    "pixel": _word("pixel art|pixel|8-bit pixel art", "像素画|像素风格|像素"),
    "pencil": _word("pencil sketch|pencil drawing|sketch", "铅笔素描|铅笔画|素描"),
    "neon": _word("neon|neon style|neon lights", "霓虹|霓虹风格|霓虹灯"),
    "oil": _word("oil painting|oil|oil on canvas", "油画|油画风格"),
    "paper": _word("paper cut-out|papercut|paper cutout|paper", "剪纸|剪纸风格"),
}

POSITIONS: Final[dict[str, Word]] = {
    "left": _word("on the left|to the left|left", "左边|左侧|在左边"),
    "centre": _word("in the centre|in the center|in the middle|centre|center", "中间|中央|在中间"),
    "right": _word("on the right|to the right|right", "右边|右侧|在右边"),
}

VOCABULARY: Final[dict[str, dict[str, Word]]] = {
    "kind": dict(KINDS),
    "colour": COLOURS,
    "place": PLACES,
    "time_of_day": TIMES,
    "weather": WEATHERS,
    "style": STYLES,
    "position": POSITIONS,
}
