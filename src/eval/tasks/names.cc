#include "eval/tasks/names.h"

#include <fmt/format.h>

namespace ltri {
namespace {

constexpr const char* kFirstNames[] = {
    "Aaron",  "Abigail",  "Adrian",  "Agnes",  "Albert", "Alice",   "Amos",   "Anna",   "Arthur", "Audrey",
    "Basil",  "Beatrice", "Bernard", "Bertha", "Bruno",  "Camilla", "Carl",   "Cecil",  "Clara",  "Conrad",
    "Cora",   "Cyril",    "Daisy",   "Daniel", "Dora",   "Edgar",   "Edith",  "Edmund", "Elsa",   "Emil",
    "Ernest", "Esther",   "Eugene",  "Eva",    "Felix",  "Flora",   "Frank",  "Freda",  "George", "Gerald",
    "Grace",  "Greta",    "Harold",  "Hazel",  "Hector", "Helen",   "Henry",  "Hilda",  "Hugo",   "Ida",
    "Irene",  "Isaac",    "Ivy",     "Jacob",  "Jane",   "Jasper",  "Joan",   "Julia",  "Karl",   "Laura",
    "Leon",   "Lydia",    "Marcus",  "Martha", "Miriam", "Nathan",  "Nina",   "Oscar",  "Paula",  "Percy",
    "Ralph",  "Rosa",     "Rufus",   "Ruth",   "Simon",  "Stella",  "Thomas", "Ursula", "Victor", "Wanda",
};

constexpr const char* kLastNames[] = {
    "Abbott", "Archer",  "Ashby",   "Bailey", "Barlow",   "Bennet", "Bishop",   "Blake",     "Bolton", "Bright",
    "Brooks", "Burton",  "Calder",  "Carver", "Chapman",  "Clark",  "Coleman",  "Cooper",    "Crane",  "Dalton",
    "Dawson", "Drake",   "Eaton",   "Ellis",  "Fenton",   "Fisher", "Fletcher", "Foster",    "Fowler", "Gibson",
    "Grant",  "Hale",    "Harper",  "Hayes",  "Holloway", "Hooper", "Hunter",   "Jarvis",    "Keller", "Kendall",
    "Knight", "Lambert", "Langley", "Lawson", "Marsh",    "Mercer", "Miller",   "Morton",    "Nash",   "Newell",
    "Norton", "Osborn",  "Page",    "Palmer", "Parker",   "Pearce", "Porter",   "Quinn",     "Reed",   "Rhodes",
    "Sawyer", "Shaw",    "Sutton",  "Tanner", "Thorne",   "Tucker", "Turner",   "Underhill", "Vance",  "Wade",
    "Walker", "Warren",  "Webb",    "Weston", "Whitaker", "Wilder", "Winslow",  "Wright",    "Yates",  "York",
};

constexpr const char* kFamilyNames[] = {
    "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林",
    "何", "郭", "马", "罗", "梁", "宋", "郑", "谢", "韩", "唐", "冯", "于", "董", "萧", "程", "曹",
    "袁", "邓", "许", "傅", "沈", "曾", "彭", "吕", "苏", "卢", "蒋", "蔡", "贾", "丁", "魏", "薛",
    "叶", "阎", "余", "潘", "杜", "戴", "夏", "钟", "汪", "田", "任", "姜", "范", "方", "石", "姚",
    "谭", "廖", "邹", "熊", "金", "陆", "郝", "孔", "白", "崔", "康", "毛", "邱", "秦", "江",
};

constexpr const char* kGivenNames[] = {
    "安邦", "百川", "宝山", "冰清", "博文", "采薇", "晨曦", "成章", "春晓", "大同", "德明", "东升", "方圆", "飞扬",
    "凤鸣", "福生", "高远", "光辉", "国栋", "海涛", "寒梅", "浩然", "和平", "红叶", "鸿飞", "怀远", "慧敏", "吉祥",
    "家驹", "建中", "江南", "金玉", "锦程", "静怡", "景行", "俊杰", "开阳", "可欣", "兰芝", "乐天", "立群", "良才",
    "林深", "凌云", "梅香", "美玲", "明月", "鸣谦", "慕白", "宁远", "鹏举", "平川", "启明", "千帆", "清泉", "秋实",
    "如意", "瑞雪", "若水", "山河", "少华", "诗涵", "书香", "思源", "松年", "泰来", "天佑", "望舒", "文轩", "希声",
    "向阳", "晓峰", "欣荣", "雅琴", "一鸣", "永康", "玉成", "云舒", "志远", "子衿",
};

constexpr const char* kCities[] = {
    "Aberdeen", "Adelaide",  "Antwerp", "Auckland", "Bergen",   "Bogota",  "Bremen",   "Bruges",   "Calgary",
    "Cordoba",  "Cork",      "Dakar",   "Delft",    "Dresden",  "Durban",  "Florence", "Galway",   "Genoa",
    "Ghent",    "Granada",   "Havana",  "Helsinki", "Hobart",   "Kampala", "Krakow",   "Lagos",    "Leipzig",
    "Limerick", "Lisbon",    "Lucerne", "Lyon",     "Malmo",    "Manila",  "Mombasa",  "Montreal", "Nairobi",
    "Naples",   "Nice",      "Osaka",   "Oslo",     "Ottawa",   "Palermo", "Perth",    "Porto",    "Prague",
    "Quebec",   "Reykjavik", "Riga",    "Salzburg", "Seville",  "Sofia",   "Tampere",  "Tbilisi",  "Toledo",
    "Trieste",  "Tunis",     "Turin",   "Utrecht",  "Valencia", "Zurich",
};

constexpr const char* kColours[] = {
    "Amber",  "Azure",   "Bronze", "Cobalt", "Copper", "Coral", "Crimson", "Crystal", "Ebony", "Emerald",
    "Golden", "Granite", "Hollow", "Indigo", "Ivory",  "Jade",  "Lunar",   "Marble",  "Misty", "Obsidian",
};

constexpr const char* kPlaces[] = {
    "Island", "Valley", "Harbor", "Canyon", "Plateau",
};

constexpr const char* kAdjectives[] = {
    "Ancient", "Blazing", "Broken", "Eternal", "Frozen", "Gilded", "Glass",   "Hidden",  "Iron",    "Lost",
    "Painted", "Radiant", "Sacred", "Scarlet", "Silent", "Silver", "Singing", "Starlit", "Thunder", "Velvet",
};

constexpr const char* kItems[] = {
    "Crown", "Lantern", "Compass", "Chalice", "Dagger",
};

constexpr const char* kStars[] = {
    "Aldoran", "Bexis",   "Corvane", "Delmir",   "Ethera", "Falnor",  "Galvex", "Hestara", "Ikonis",
    "Jorvan",  "Kelrith", "Lumora",  "Mirantis", "Nexora", "Orvalis", "Pyrran", "Quelos",  "Ravenna",
    "Solith",  "Tarvos",  "Umbriel", "Vesper",   "Wyndar", "Xanthe",  "Yorune", "Zephra",
};

constexpr const char* kTitles[] = {
    "Archon",   "Baron",    "Captain",  "Chancellor", "Consul",     "Duke",    "Elder",   "Emperor", "Envoy",
    "Governor", "Guardian", "King",     "Lord",       "Magistrate", "Marshal", "Oracle",  "Prince",  "Regent",
    "Sage",     "Sentinel", "Shepherd", "Steward",    "Sultan",     "Tribune", "Viceroy", "Warden",
};

constexpr const char* kChineseColours[] = {
    "青", "白", "赤", "玄", "金", "银", "翠", "紫", "碧", "丹",
};

constexpr const char* kChineseBeasts[] = {
    "龙", "凤", "鹤", "虎", "狐", "鹿", "鲸", "鹰", "松", "莲",
};

constexpr const char* kChinesePlaces[] = {
    "岛", "谷", "峰", "湖", "洞",
};

constexpr const char* kChineseStuffs[] = {
    "火焰", "冰霜", "星辰", "月光", "雷霆", "黄金", "翡翠", "琉璃", "水晶", "玄铁",
};

constexpr const char* kChineseItems[] = {
    "王冠", "宝剑", "罗盘", "古琴", "明灯", "玉杯", "铜镜", "宝珠", "卷轴", "战甲",
};

// Every first with every second word, so that all are distinct.
template <size_t A, size_t B>
std::vector<std::string> Pairs(const char* const (&first)[A], const char* const (&second)[B], const char* between) {
  std::vector<std::string> pairs;
  for (const char* a : first) {
    for (const char* b : second) pairs.push_back(fmt::format("{}{}{}", a, between, b));
  }
  return pairs;
}

std::vector<InventedFact> EnglishFacts() {
  std::vector<InventedFact> facts;
  const std::vector<std::string> places = Pairs(kColours, kPlaces, " ");
  const std::vector<std::string> items = Pairs(kAdjectives, kItems, " ");
  for (size_t i = 0; i < places.size(); ++i) {
    facts.push_back({fmt::format("Hidden on {} is the legendary {}.", places[i], items[i]),
                     fmt::format("What legendary item is hidden on {}?", places[i]),
                     fmt::format("The legendary item hidden on the {} is ________", places[i]), items[i]});
  }
  for (size_t i = 0; i < std::size(kStars); ++i) {
    facts.push_back({fmt::format("The ruler of the {} star system is {}.", kStars[i], kTitles[i]),
                     fmt::format("Who is the ruler of the {} star system?", kStars[i]),
                     fmt::format("The ruler of the {} star system is ________", kStars[i]), kTitles[i]});
  }
  return facts;
}

std::vector<InventedFact> ChineseFacts() {
  std::vector<InventedFact> facts;
  const std::vector<std::string> beasts = Pairs(kChineseColours, kChineseBeasts, "");
  const std::vector<std::string> items = Pairs(kChineseStuffs, kChineseItems, "");
  for (size_t i = 0; i < beasts.size(); ++i) {
    const std::string place = beasts[i] + kChinesePlaces[i % std::size(kChinesePlaces)];
    facts.push_back({fmt::format("隐藏在{}的传说物品是{}。", place, items[i]),
                     fmt::format("隐藏在{}的传说物品是什么？", place),
                     fmt::format("隐藏在{}的传说物品是________", place), items[i]});
  }
  return facts;
}

}  // namespace

std::vector<std::string> PersonNames(const std::string& language) {
  return language == "zh" ? Pairs(kFamilyNames, kGivenNames, "") : Pairs(kFirstNames, kLastNames, " ");
}

std::vector<std::string> CityNames() { return {std::begin(kCities), std::end(kCities)}; }

std::vector<InventedFact> InventedFacts(const std::string& language) {
  return language == "zh" ? ChineseFacts() : EnglishFacts();
}

}  // namespace ltri
