#include "weir/transfer/seed_tables.h"

#include "weir/base/json_writer.h"

namespace weir::transfer::seed {

namespace {
constexpr uint32_t network(uint32_t a, uint32_t b, uint32_t c = 0, uint32_t d = 0) {
  return a << 24 | b << 16 | c << 8 | d;
}

constexpr std::string_view kWeb = "https://www.example.com";
constexpr std::string_view kManual = "https://docs.example.com";
constexpr std::string_view kApp = "https://app.example.com";

constexpr std::string_view kPosts[] = {
    "How to read a barometer",
    "Why your rain gauge lies in the wind",
    "Setting up a weather station on a balcony",
    "The best height for an anemometer",
    "Dew point explained without formulas",
    "What a radiation shield does, and what it cannot",
    "Ten years of garden temperatures",
    "Forecasting a thunderstorm from pressure alone",
    "Comparing cheap and good hygrometers",
    "Frost warnings that wake you in time",
    "Station batteries in winter",
    "How far can a sensor be from its base?",
    "Mapping the heat of a city street",
    "A school builds its own weather network",
    "Rain in the alps, rain on the plain",
    "Snow depth with ultrasound",
    "What UV index three feels like",
    "Sharing your data with meteorologists",
    "Calibrating a thermometer with ice",
    "Reading clouds: a short guide",
    "Lightning detectors, tested",
    "Soil moisture for lazy gardeners",
    "Why two thermometers never agree",
    "From raw numbers to a chart",
    "Wind roses for beginners",
    "The year without a summer",
    "Sailing by your own station",
    "Air quality in the living room",
    "A solar panel for every sensor",
    "Firmware 3: what is new",
    "Meet the team: Ida, sensors",
    "Behind the scenes of our test field",
    "How we pack without plastic",
    "Weather records of our customers",
    "Fog, mist and haze",
    "Heat waves and the night",
    "A quiet anemometer",
    "Can a phone measure pressure?",
    "The history of the rain gauge",
    "Greetings from the north cape",
};
constexpr std::string_view kCategories[] = {"how-to", "science", "stories", "product"};
constexpr std::string_view kAuthors[] = {"Ida Berg", "Tom Alvarez", "Mei Tanaka"};

constexpr std::string_view kArticles[] = {
    "Getting started",
    "Mounting the station",
    "Connecting to Wi-Fi",
    "Reading the display",
    "Updating firmware",
    "Alerts",
    "Export to CSV",
    "The HTTP interface",
    "Rain gauge",
    "Anemometer",
    "Radiation shield",
    "Batteries and solar",
    "Resetting a station",
    "Pairing sensors",
    "Radio range",
    "Calibration",
    "Error codes",
    "Home automation",
    "Sharing a station",
    "Time zones",
    "Units",
    "Privacy of your data",
    "Deleting an account",
    "Changing the owner",
    "Several stations",
    "Offline mode",
    "Backups",
    "Warranty",
};

constexpr std::string_view kTools[] = {"Dashboard", "Forecast", "Alerts", "History", "Settings", "Share"};

// "How to read a barometer" as "how-to-read-a-barometer".
std::string slug_of(std::string_view title) {
  std::string slug;
  for (char c : title) {
    bool upper = c >= 'A' && c <= 'Z';
    if (upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
      slug.push_back(upper ? static_cast<char>(c | 0x20) : c);
    else if (c == ' ' && !slug.empty() && slug.back() != '-')
      slug.push_back('-');
  }
  return slug;
}

Site make_site() {
  Site site;
  auto add = [&](Section section, std::string_view host, std::string path, std::string_view title,
                 std::string_view maker, std::string properties = {}) {
    Page page;
    page.section = section;
    page.url = std::string(host) + path;
    page.origin = std::string(host) + "/";
    page.path = std::move(path);
    page.title = std::string(title) + " - " + std::string(maker);
    page.properties = std::move(properties);
    site.pages.push_back(std::move(page));
  };
  auto begin = [&](Section section) {
    site.first[static_cast<size_t>(section)] = static_cast<uint16_t>(site.pages.size());
  };
  constexpr std::string_view kMaker = "Larkspur Weather";
  begin(Section::home);
  add(Section::home, kWeb, "/", "Weather stations that last", kMaker);
  begin(Section::pricing);
  add(Section::pricing, kWeb, "/pricing", "Pricing", kMaker);
  begin(Section::stations);
  add(Section::stations, kWeb, "/stations", "All stations", kMaker);
  begin(Section::product);
  for (const Product& p : kProducts) {
    std::string properties = "{";
    append_json_key(properties, "product");
    append_json_string(properties, p.slug);
    add(Section::product, kWeb, "/stations/" + std::string(p.slug), p.name, kMaker, properties + "}");
  }
  begin(Section::cart);
  add(Section::cart, kWeb, "/cart", "Your cart", kMaker);
  begin(Section::checkout);
  add(Section::checkout, kWeb, "/checkout", "Checkout", kMaker);
  begin(Section::thanks);
  add(Section::thanks, kWeb, "/checkout/thanks", "Thank you", kMaker);
  begin(Section::blog);
  size_t number = 0;
  for (std::string_view title : kPosts) {
    std::string properties = "{";
    append_json_key(properties, "author");
    append_json_string(properties, kAuthors[number % std::size(kAuthors)]);
    append_json_key(properties, "category");
    append_json_string(properties, kCategories[number % std::size(kCategories)]);
    add(Section::blog, kWeb, "/blog/" + slug_of(title), title, "Larkspur Blog", properties + "}");
    ++number;
  }
  add(Section::blog, kWeb, "/blog", "Blog", kMaker);
  begin(Section::docs);
  for (std::string_view title : kArticles)
    add(Section::docs, kManual, "/" + slug_of(title), title, "Larkspur Manual", R"({"manual":"3"})");
  begin(Section::about);
  add(Section::about, kWeb, "/about", "About us", kMaker);
  add(Section::about, kWeb, "/contact", "Contact", kMaker);
  add(Section::about, kWeb, "/careers", "Careers", kMaker);
  begin(Section::download);
  add(Section::download, kWeb, "/download", "Downloads", kMaker);
  begin(Section::signup);
  add(Section::signup, kWeb, "/signup", "Create an account", kMaker);
  begin(Section::app);
  for (std::string_view title : kTools) add(Section::app, kApp, "/" + slug_of(title), title, "Larkspur App");
  site.first[kSections] = static_cast<uint16_t>(site.pages.size());
  return site;
}
}  // namespace

const std::array<Product, 10> kProducts = {{
    {"Larkspur One", "larkspur-one", 14'900},
    {"Larkspur Pro", "larkspur-pro", 34'900},
    {"Rain gauge", "rain-gauge", 5'900},
    {"Balcony kit", "balcony-kit", 9'900},
    {"Anemometer", "anemometer", 8'900},
    {"Soil sensor", "soil-sensor", 3'900},
    {"Air quality sensor", "air-quality-sensor", 11'900},
    {"Solar panel", "solar-panel", 4'500},
    {"Lightning detector", "lightning-detector", 6'900},
    {"School set", "school-set", 89'000},
}};

const Site& site() {
  static const Site made = make_site();
  return made;
}

// Networks: allocations of the regional registries to large access providers of the country, as their public delegation
// and routing data show them in 2026; each was looked up at 400 random addresses in two independent geo databases
// (DB-IP Lite and IPFire's), which agreed on the country for all. Languages and time zones: the place's most common
// ones.
const std::array<Place, 38> kPlaces = {{
    {"US", -300, 130, "en-US", 0, {network(73, 149), network(72, 229)}, "2601:d000::"},
    {"US", -360, 90, "en-US", 0, {network(71, 91), network(107, 192)}, "2601:9000::"},
    {"US", -420, 25, "en-US", 0, {network(174, 16), network(73, 153)}, ""},
    {"US", -480, 85, "en-US", 0, {network(76, 90), network(24, 16)}, ""},
    {"DE", 60, 110, "de-DE", 1, {network(88, 64), network(2, 202)}, "2003:3e1:3000:0:"},
    {"GB", 0, 85, "en-GB", 2, {network(82, 7), network(86, 16)}, ""},
    {"FR", 60, 55, "fr-FR", 1, {network(78, 246), network(88, 160)}, "2a01:cec0::"},
    {"NL", 60, 35, "nl-NL", 1, {network(81, 206), network(84, 84)}, "2001:1c00::"},
    {"ES", 60, 30, "es-ES", 1, {network(37, 12), network(2, 136)}, "2a02:9000::"},
    {"IT", 60, 32, "it-IT", 1, {network(94, 160), network(79, 40)}, ""},
    {"PL", 60, 24, "pl-PL", 3, {network(83, 20), network(46, 170)}, "2a01:1000::"},
    {"SE", 60, 18, "sv-SE", 4, {network(90, 224), network(2, 70)}, ""},
    {"CH", 60, 20, "de-CH", 5, {network(178, 192), network(188, 60)}, "2a02:1200::"},
    {"AT", 60, 18, "de-AT", 1, {network(62, 46), network(188, 22)}, "2a02:8380::"},
    {"BE", 60, 14, "nl-BE", 1, {network(87, 64), network(91, 182)}, "2a02:a000::"},
    {"DK", 60, 12, "da-DK", 1, {network(90, 184), network(2, 128)}, ""},
    {"NO", 60, 12, "nb-NO", 1, {network(88, 94), network(46, 156)}, "2001:4600::"},
    {"IE", 0, 9, "en-IE", 1, {network(86, 40), network(86, 45)}, ""},
    {"PT", 0, 10, "pt-PT", 1, {network(2, 80), network(188, 82)}, "2001:818::"},
    {"CZ", 60, 10, "cs-CZ", 1, {network(46, 13), network(78, 80)}, "2a02:8300::"},
    {"UA", 120, 10, "uk-UA", 1, {network(5, 248), network(46, 211)}, ""},
    {"TR", 180, 14, "tr-TR", 1, {network(176, 54), network(176, 89)}, ""},
    {"IL", 120, 7, "he-IL", 0, {network(176, 229), network(46, 116)}, ""},
    {"AE", 240, 7, "en-AE", 0, {network(2, 50), network(94, 202)}, ""},
    {"CA", -300, 40, "en-CA", 6, {network(76, 69), network(70, 53)}, ""},
    {"BR", -180, 45, "pt-BR", 7, {network(177, 84), network(187, 94)}, "2804:1b0::"},
    {"MX", -360, 25, "es-MX", 0, {network(201, 163), network(187, 189)}, "2806:1000::"},
    {"AR", -180, 12, "es-AR", 0, {network(190, 138), network(181, 6)}, "2800:810::"},
    {"IN", 330, 70, "en-IN", 8, {network(106, 192), network(27, 60)}, "2409:4000::"},
    {"JP", 540, 38, "ja-JP", 9, {network(126, 179), network(118, 9)}, "2400:2000::"},
    {"KR", 540, 18, "ko-KR", 0, {network(118, 47), network(221, 160)}, ""},
    {"AU", 600, 34, "en-AU", 10, {network(220, 235), network(49, 176)}, ""},
    {"NZ", 720, 7, "en-NZ", 10, {network(47, 72), network(27, 252)}, "2404:4400::"},
    {"SG", 480, 9, "en-SG", 0, {network(116, 14), network(203, 116)}, ""},
    {"ID", 420, 20, "id-ID", 0, {network(110, 136), network(180, 254)}, ""},
    {"PH", 480, 16, "en-PH", 0, {network(136, 158), network(180, 190)}, "2001:4450::"},
    {"ZA", 120, 12, "en-ZA", 0, {network(41, 24), network(105, 246)}, ""},
    {"NG", 60, 12, "en-NG", 0, {network(105, 112), network(197, 210)}, ""},
}};

const std::array<Currency, 11> kCurrencies = {{{"USD", 110, true},
                                               {"EUR", 100, true},
                                               {"GBP", 86, true},
                                               {"PLN", 430, true},
                                               {"SEK", 1'130, true},
                                               {"CHF", 95, true},
                                               {"CAD", 155, true},
                                               {"BRL", 620, true},
                                               {"INR", 9'600, true},
                                               {"JPY", 17'000, false},
                                               {"AUD", 172, true}}};

// Written after the forms that the browsers document; the versions follow the day (seed.cc).
const std::array<Agent, 15> kAgents = {{
    {255,
     "phone",
     Versions::ios,
     "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{} "
     "Mobile/15E148 Safari/604.1",
     {"390x844", "393x852", "402x874", "430x932"}},
    {35,
     "phone",
     Versions::chrome,
     "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/{}.0.0.0 "
     "Mobile/15E148 Safari/604.1",
     {"390x844", "393x852", "402x874", "440x956"}},
    {205,
     "phone",
     Versions::chrome,
     "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Mobile Safari/537.36",
     {"412x915", "360x800", "384x832", "412x892"}},
    {40,
     "phone",
     Versions::none,
     "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/29.0 Chrome/136.0.0.0 "
     "Mobile Safari/537.36",
     {"360x780", "384x832", "412x915", "360x800"}},
    {15,
     "phone",
     Versions::firefox,
     "Mozilla/5.0 (Android 15; Mobile; rv:{}.0) Gecko/{}.0 Firefox/{}.0",
     {"412x915", "360x800", "393x873", "412x892"}},
    {28,
     "tablet",
     Versions::safari,
     "Mozilla/5.0 (iPad; CPU OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{} "
     "Mobile/15E148 Safari/604.1",
     {"820x1180", "810x1080", "834x1194", "1024x1366"}},
    {12,
     "tablet",
     Versions::chrome,
     "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36",
     {"800x1280", "1200x1920", "753x1205", "800x1280"}},
    {195,
     "desktop",
     Versions::chrome,
     "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36",
     {"1920x1080", "1536x864", "2560x1440", "1366x768"}},
    {60,
     "desktop",
     Versions::chrome,
     "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36 "
     "Edg/{}.0.0.0",
     {"1920x1080", "1536x864", "2560x1440", "1280x720"}},
    {18,
     "desktop",
     Versions::firefox,
     "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{}.0) Gecko/20100101 Firefox/{}.0",
     {"1920x1080", "1536x864", "2560x1440", "1366x768"}},
    {52,
     "desktop",
     Versions::chrome,
     "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 "
     "Safari/537.36",
     {"1440x900", "1470x956", "1512x982", "1728x1117"}},
    {48,
     "desktop",
     Versions::safari,
     "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{} "
     "Safari/605.1.15",
     {"1440x900", "1470x956", "1512x982", "2560x1440"}},
    {7,
     "desktop",
     Versions::firefox,
     "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:{}.0) Gecko/20100101 Firefox/{}.0",
     {"1440x900", "1470x956", "1512x982", "1728x1117"}},
    {14,
     "desktop",
     Versions::chrome,
     "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36",
     {"1920x1080", "2560x1440", "1920x1200", "3840x2160"}},
    {16,
     "desktop",
     Versions::firefox,
     "Mozilla/5.0 (X11; Linux x86_64; rv:{}.0) Gecko/20100101 Firefox/{}.0",
     {"1920x1080", "2560x1440", "1920x1200", "3840x2160"}},
}};

std::string_view name_of(Visitors kind) {
  constexpr std::string_view kNames[] = {"people",   "search bots", "AI crawlers", "SEO bots",
                                         "monitors", "scripts",     "spam"};
  return kNames[static_cast<size_t>(kind)];
}

// User agents as their operators publish them; networks from which they come, or of the hosters that such programs use.
const std::array<Bot, 19> kBots = {{
    {Visitors::search_bots, 620,
     "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, "
     "like Gecko) Chrome/141.0.7390.122 Mobile Safari/537.36 (compatible; Googlebot/2.1; "
     "+http://www.google.com/bot.html)",
     network(66, 249, 64), 4096},
    {Visitors::search_bots, 260,
     "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; "
     "+http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36",
     network(40, 77, 167), 256},
    {Visitors::search_bots, 70, "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
     network(5, 255, 253), 256},
    {Visitors::search_bots, 50,
     "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_5) AppleWebKit/605.1.15 (KHTML, like "
     "Gecko) Version/13.1.1 Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)",
     network(17, 241), 4096},
    {Visitors::ai_crawlers, 330,
     "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; "
     "+https://openai.com/gptbot)",
     network(20, 171, 206), 256},
    {Visitors::ai_crawlers, 240,
     "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; "
     "+claudebot@anthropic.com)",
     network(160, 79, 104), 512},
    {Visitors::ai_crawlers, 120,
     "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; OAI-SearchBot/1.0; "
     "+https://openai.com/searchbot",
     network(20, 171, 206), 256},
    {Visitors::ai_crawlers, 110,
     "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; PerplexityBot/1.0; "
     "+https://perplexity.ai/perplexitybot)",
     network(3, 224), 1024},
    {Visitors::ai_crawlers, 110,
     "Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Mobile "
     "Safari/537.36 (compatible; Bytespider; spider-feedback@bytedance.com)",
     network(47, 128), 4096},
    {Visitors::ai_crawlers, 90, "CCBot/2.0 (https://commoncrawl.org/faq/)", network(18, 97, 9), 256},
    {Visitors::seo_bots, 600, "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
     network(54, 36, 148), 1024},
    {Visitors::seo_bots, 400, "Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)",
     network(185, 191, 171), 256},
    {Visitors::monitors, 700, "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
     network(69, 162, 124, 224), 16},
    {Visitors::monitors, 300, "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)", network(64, 62, 202), 16},
    {Visitors::scripts, 400,
     "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
     "HeadlessChrome/141.0.0.0 Safari/537.36",
     network(44, 192), 4096},
    {Visitors::scripts, 350, "python-requests/2.32.3", network(95, 217), 4096},
    {Visitors::scripts, 150, "curl/8.9.1", network(95, 217), 4096},
    {Visitors::scripts, 100, "Go-http-client/2.0", network(44, 192), 4096},
    {Visitors::spam, 1000,
     "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) "
     "Chrome/62.0.3202.94 Safari/537.36",
     network(5, 248), 65'536},
}};

const std::array<std::string_view, 5> kSpamReferrers = {"http://semalt.com/", "http://buttons-for-website.com/",
                                                        "http://darodar.com/", "http://event-tracking.com/",
                                                        "http://best-seo-offer.com/"};

const std::array<Source, 44> kSources = {{
    {Channel::direct, 1000, "", "", ""},
    {Channel::search, 830, "https://www.google.com/", "", ""},
    {Channel::search, 70, "https://www.bing.com/", "", ""},
    {Channel::search, 45, "https://duckduckgo.com/", "", ""},
    {Channel::search, 20, "https://search.yahoo.com/", "", ""},
    {Channel::search, 20, "https://www.ecosia.org/", "", ""},
    {Channel::search, 15, "https://search.brave.com/", "", ""},
    {Channel::paid_search, 440, "https://www.google.com/",
     "utm_source=google&utm_medium=cpc&utm_campaign=brand&utm_term=larkspur+weather", "gclid"},
    {Channel::paid_search, 260, "https://www.google.com/",
     "utm_source=google&utm_medium=cpc&utm_campaign=stations&utm_term=weather+station&utm_content=text-b", "gclid"},
    {Channel::paid_search, 100, "https://www.google.com/", "utm_source=google&utm_medium=cpc&utm_campaign=shopping",
     "gbraid"},
    {Channel::paid_search, 200, "https://www.bing.com/", "utm_source=bing&utm_medium=cpc&utm_campaign=stations",
     "msclkid"},
    {Channel::social, 220, "https://l.facebook.com/", "", "fbclid"},
    {Channel::social, 90, "https://m.facebook.com/", "", "fbclid"},
    {Channel::social, 190, "https://www.reddit.com/", "", ""},
    {Channel::social, 150, "https://l.instagram.com/", "", ""},
    {Channel::social, 120, "https://www.youtube.com/", "", ""},
    {Channel::social, 90, "https://t.co/", "", ""},
    {Channel::social, 80, "https://www.linkedin.com/", "", ""},
    {Channel::social, 40, "https://mastodon.social/", "", ""},
    {Channel::social, 20, "https://www.pinterest.com/", "", ""},
    {Channel::paid_social, 400, "https://l.facebook.com/",
     "utm_source=facebook&utm_medium=paid_social&utm_campaign=garden-season&utm_content=video-a", "fbclid"},
    {Channel::paid_social, 200, "https://l.facebook.com/",
     "utm_source=facebook&utm_medium=paid_social&utm_campaign=garden-season&utm_content=carousel", "fbclid"},
    {Channel::paid_social, 200, "https://l.instagram.com/",
     "utm_source=instagram&utm_medium=paid_social&utm_campaign=balcony", "fbclid"},
    {Channel::paid_social, 120, "https://www.tiktok.com/",
     "utm_source=tiktok&utm_medium=paid_social&utm_campaign=balcony", "ttclid"},
    {Channel::paid_social, 80, "https://www.linkedin.com/",
     "utm_source=linkedin&utm_medium=paid_social&utm_campaign=schools", "li_fat_id"},
    {Channel::email, 480, "", "utm_source=newsletter&utm_medium=email&utm_campaign=weekly-weather", ""},
    {Channel::email, 170, "https://mail.google.com/",
     "utm_source=newsletter&utm_medium=email&utm_campaign=weekly-weather", ""},
    {Channel::email, 200, "", "utm_source=crm&utm_medium=email&utm_campaign=welcome-series", ""},
    {Channel::email, 150, "", "utm_source=crm&utm_medium=email&utm_campaign=cart-reminder", ""},
    {Channel::news, 260, "https://www.theguardian.com/", "", ""},
    {Channel::news, 200, "https://www.heise.de/", "", ""},
    {Channel::news, 180, "https://news.ycombinator.com/", "", ""},
    {Channel::news, 150, "https://www.nytimes.com/", "", ""},
    {Channel::news, 110, "https://www.bbc.com/", "", ""},
    {Channel::news, 100, "https://www.lemonde.fr/", "", ""},
    {Channel::ai, 520, "https://chatgpt.com/", "utm_source=chatgpt.com", ""},
    {Channel::ai, 80, "", "utm_source=chatgpt.com", ""},
    {Channel::ai, 130, "https://www.perplexity.ai/", "", ""},
    {Channel::ai, 110, "https://gemini.google.com/", "", ""},
    {Channel::ai, 80, "https://claude.ai/", "", ""},
    {Channel::ai, 50, "https://copilot.microsoft.com/", "", ""},
    {Channel::ai, 15, "https://chat.deepseek.com/", "", ""},
    {Channel::ai, 10, "https://chat.mistral.ai/", "", ""},
    {Channel::ai, 5, "https://grok.com/", "", ""},
}};

// From \ to:                home pric stat prod cart chk thx blog docs about down sign app
const std::array<std::array<uint16_t, kSections>, kSections> kNext = {{
    /* home     */ {{60, 190, 240, 170, 0, 0, 0, 150, 90, 60, 20, 20, 0}},
    /* pricing  */ {{150, 60, 280, 250, 0, 0, 0, 60, 110, 50, 20, 20, 0}},
    /* stations */ {{60, 80, 60, 660, 0, 0, 0, 40, 50, 30, 10, 10, 0}},
    /* product  */ {{80, 120, 290, 360, 0, 0, 0, 40, 80, 20, 10, 0, 0}},
    /* cart     */ {{200, 100, 400, 300, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
    /* checkout */ {{300, 100, 300, 300, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
    /* thanks   */ {{400, 0, 200, 200, 0, 0, 0, 100, 100, 0, 0, 0, 0}},
    /* blog     */ {{110, 40, 100, 90, 0, 0, 0, 560, 50, 30, 10, 10, 0}},
    /* docs     */ {{50, 30, 40, 60, 0, 0, 0, 40, 690, 20, 60, 10, 0}},
    /* about    */ {{320, 100, 200, 80, 0, 0, 0, 120, 40, 130, 10, 0, 0}},
    /* download */ {{150, 50, 100, 100, 0, 0, 0, 50, 500, 20, 30, 0, 0}},
    /* signup   */ {{350, 250, 150, 100, 0, 0, 0, 50, 100, 0, 0, 0, 0}},
    /* app      */ {{20, 0, 0, 0, 0, 0, 0, 10, 50, 0, 10, 0, 910}},
}};
const std::array<std::array<uint16_t, kSections>, kChannels> kEntry = {{
    /* direct      */ {{620, 40, 60, 60, 0, 0, 0, 90, 90, 20, 20, 0, 0}},
    /* search      */ {{210, 20, 60, 140, 0, 0, 0, 350, 200, 10, 10, 0, 0}},
    /* paid search */ {{180, 120, 350, 350, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
    /* social      */ {{140, 0, 40, 80, 0, 0, 0, 720, 20, 0, 0, 0, 0}},
    /* paid social */ {{100, 50, 400, 430, 0, 0, 0, 20, 0, 0, 0, 0, 0}},
    /* email       */ {{150, 50, 150, 250, 0, 0, 0, 400, 0, 0, 0, 0, 0}},
    /* news        */ {{350, 0, 100, 150, 0, 0, 0, 350, 20, 30, 0, 0, 0}},
    /* AI          */ {{120, 60, 70, 150, 0, 0, 0, 320, 280, 0, 0, 0, 0}},
}};

}  // namespace weir::transfer::seed
