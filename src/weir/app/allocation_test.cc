// Memory runs out in what reads the bytes of strangers: at the first allocation, at the second, and so on until a run
// needs no more of them. Nothing crashes or leaks (./test --sanitize), nobody is told that his good bytes are bad, and
// the same objects do their work afterwards.
#include <brotli/encode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <optional>

#include "weir/base/metrics.h"
#include "weir/collect/native.h"
#include "weir/event/record.h"
#include "weir/http/head.h"
#include "weir/http/inflate.h"
#include "weir/http/server.h"
#include "weir/http/testing/packed.h"
#include "weir/http/testing/raw_client.h"
#include "weir/transfer/access_log.h"
#include "weir/transfer/line_event.h"
#include "weir/transfer/log_parser.h"

namespace {
// Of this thread: the allocation that is to fail, counted from now on; 0: none. And whether all behind it fail as well.
thread_local constinit uint64_t fails_at = 0;
thread_local constinit bool fails_on = false;
thread_local constinit bool has_failed = false;
// Of all threads: larger ones fail.
constinit std::atomic<size_t> largest{SIZE_MAX};

bool is_refused(size_t bytes) {
  if (bytes > largest.load(std::memory_order_relaxed)) return true;
  if (has_failed) return fails_on;
  if (fails_at == 0 || --fails_at > 0) return false;
  has_failed = true;
  return true;
}
}  // namespace

#ifdef WEIR_SANITIZED
// A sanitizer has a malloc of its own: only what goes through operator new can be made to fail. Not inlined, as GCC
// would then see free() where it expects delete.
[[gnu::noinline]] void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  return is_refused(bytes) ? nullptr : std::malloc(bytes);
}
[[gnu::noinline]] void* operator new(size_t bytes) {
  void* memory = operator new(bytes, std::nothrow);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new[](size_t bytes) { return operator new(bytes); }
void* operator new[](size_t bytes, const std::nothrow_t&) noexcept { return operator new(bytes, std::nothrow); }
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { operator delete(memory); }
void operator delete[](void* memory) noexcept { operator delete(memory); }
void operator delete[](void* memory, size_t) noexcept { operator delete(memory); }
#else
// Before glibc's, and so for the libraries of compression too; operator new ends here as well.
extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier): glibc's own names
void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t count, size_t bytes);
void* __libc_realloc(void* memory, size_t bytes);
// NOLINTEND(bugprone-reserved-identifier)

static void* no_memory() {
  errno = ENOMEM;
  return nullptr;
}
void* malloc(size_t bytes) { return is_refused(bytes) ? no_memory() : __libc_malloc(bytes); }
void* calloc(size_t count, size_t bytes) {
  return is_refused(count * bytes) ? no_memory() : __libc_calloc(count, bytes);
}
void* realloc(void* memory, size_t bytes) { return is_refused(bytes) ? no_memory() : __libc_realloc(memory, bytes); }
}
#endif

namespace weir {
namespace {

// What a run came to: nothing when all was right, else the error.
using Outcome = std::optional<ErrorCode>;

// `begin` makes anew what run() uses: buffers that are kept need no memory the next time.
void fail_each_allocation(const std::function<void()>& begin, const std::function<Outcome()>& run) {
  begin();
  ASSERT_EQ(run(), Outcome()) << "with all the memory it wants";
  for (bool on : {false, true}) {
    for (uint64_t n = 1;; ++n) {
      ASSERT_LT(n, 100'000U) << "it never ends";
      Outcome outcome;
      begin();
      has_failed = false;
      fails_on = on;
      fails_at = n;
      try {
        outcome = run();
      } catch (const std::bad_alloc&) {
        outcome = ErrorCode::kOverloaded;  // what http::Connection makes of it
      }
      const bool failed = std::exchange(has_failed, false);
      fails_at = 0;
      fails_on = false;
      ASSERT_TRUE(!outcome || is_retryable(*outcome)) << n << ": " << name_of(*outcome);
      ASSERT_EQ(run(), Outcome()) << "after a failure at " << n;
      if (failed) continue;
      EXPECT_EQ(outcome, Outcome());
      EXPECT_GT(n, 1U) << "it allocates nothing";
      break;
    }
  }
}

TEST(OutOfMemory, InAHead) {
  std::string head = "POST /v1/events?app=a%20b HTTP/1.1\r\nHost: stats.example\r\nContent-Length: 12\r\n";
  for (int i = 0; i < 40; ++i) head += "X-" + std::to_string(i) + ": value\r\n";
  head += "\r\n";
  fail_each_allocation([] {},
                       [&]() -> Outcome {
                         http::HeadScanner scanner;
                         http::Request request;
                         http::Framing framing;
                         std::string_view reason;
                         if (scanner.scan(head) != http::HeadScanner::Found::head) return ErrorCode::kBadInput;
                         if (http::parse_head(head, request, framing, reason) != http::HeadVerdict::ok)
                           return ErrorCode::kBadInput;
                         return request.headers.size() == 42 ? Outcome() : ErrorCode::kCorrupt;
                       });
}

TEST(OutOfMemory, InABodyThatIsInflated) {
  std::string text;
  while (text.size() < 300'000) text += std::to_string(text.size() * 2654435761U % 100003) + ",";
  std::string br(text.size() + 1000, '\0');
  size_t br_size = br.size();
  ASSERT_TRUE(BrotliEncoderCompress(5, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_GENERIC, text.size(),
                                    reinterpret_cast<const uint8_t*>(text.data()), &br_size,
                                    reinterpret_cast<uint8_t*>(br.data())));
  br.resize(br_size);
  std::string zstd(ZSTD_compressBound(text.size()), '\0');
  zstd.resize(ZSTD_compress(zstd.data(), zstd.size(), text.data(), text.size(), 3));
  const std::pair<http::Coding, std::string> bodies[] = {{http::Coding::gzip, http::testing::pack_zlib(text, 15 + 16)},
                                                         {http::Coding::deflate, http::testing::pack_zlib(text, 15)},
                                                         {http::Coding::br, br},
                                                         {http::Coding::zstd, zstd}};
  for (const auto& body : bodies) {
    SCOPED_TRACE(static_cast<int>(body.first));
    fail_each_allocation([] {},
                         [&]() -> Outcome {
                           auto out = http::inflate(body.first, body.second, 1 << 20);
                           if (!out) return out.error().code;
                           return *out == text ? Outcome() : ErrorCode::kCorrupt;
                         });
  }
}

class Counting final : public collect::EventSink {
 public:
  bool take(const collect::SentEvent& sent) override {
    ++taken;
    bytes += sent.event.name.size() + sent.event.properties.size() + sent.event.title.size();
    return true;
  }
  bool reject(size_t, Error) override {
    ++rejected;
    return true;
  }
  size_t taken = 0, rejected = 0, bytes = 0;
};

TEST(OutOfMemory, InEventsAsClientsSendThem) {
  std::string details = "{";
  for (int i = 0; i < 200; ++i)
    details += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":{\"a\": [1, \"\\u00e4\\n\", null]}";
  details += "}";
  const std::string event =
      R"({"type":"cl\u0069ck","user_id":7,"title":"\ttitle \ud83d\ude00","url":"https://a.example/b?utm_source=x",)"
      R"("later":{"x":[1]},"revenue":{"amount":"1.50","currency":"EUR"},"details":)" +
      details + "}";
  // Whole, as lines, with bytes that are no UTF-8, and with an event that is wrong.
  for (const std::string& body : {event, event + "\n" + event + "\n", "[" + event + ",{\"type\":\"\xFF\xFE\"}]",
                                  "[" + event + ",{\"type\":5,\"x\":\"y\"}]"}) {
    auto decoder = std::make_unique<collect::NativeDecoder>();
    Counting whole;
    ASSERT_TRUE(decoder->decode(body, {}, whole));
    ASSERT_GT(whole.taken, 0U);
    const auto begin = [&] { decoder = std::make_unique<collect::NativeDecoder>(); };
    fail_each_allocation(begin, [&]() -> Outcome {
      Counting sink;
      auto shape = decoder->decode(body, {}, sink);
      if (!shape) return shape.error().code;
      const bool same = sink.taken == whole.taken && sink.rejected == whole.rejected && sink.bytes == whole.bytes;
      return same ? Outcome() : ErrorCode::kCorrupt;
    });
  }
}

TEST(OutOfMemory, InARecord) {
  event::Event event;
  event.project_id = ProjectId{1};
  event.id = "a\"b";
  event.id_given = true;
  event.name = "na\nme";
  event.title = "Ä \"title\" \\ with\nlines";
  event.properties = R"({"n":12345678901234567890123,"o":{"k":[1,"2"]}})";
  event.extra = R"({"later":{"a":1},"more":[2]})";
  std::string record;
  event::append_record(event, record);
  std::unique_ptr<event::RecordParser> parser;
  const auto begin = [&] { parser = std::make_unique<event::RecordParser>(); };
  fail_each_allocation(begin, [&]() -> Outcome {
    auto parsed = parser->parse(record);
    if (!parsed) return parsed.error().code;
    std::string again;
    event::append_record(*parsed, again);
    return again == record ? Outcome() : ErrorCode::kCorrupt;
  });
}

TEST(OutOfMemory, InALineOfAnAccessLog) {
  const std::string line = "192.0.2.1 - ann [10/Feb/2012:16:42:07 -0500] \"GET /a?b=\\x22" + std::string(300, 'c') +
                           " HTTP/1.1\" 200 368 \"https://r.example/\\x22" + std::string(300, 'd') +
                           "\" \"Mozilla/5.0 \\x22X11\"";
  std::unique_ptr<transfer::LineEvents> events;
  const auto begin = [&] { events = std::make_unique<transfer::LineEvents>(); };
  fail_each_allocation(begin, [&]() -> Outcome {
    transfer::LogLine parsed;
    if (transfer::parse_line(line, transfer::LogFormat::automatic, parsed) != transfer::LineFault::none)
      return ErrorCode::kBadInput;
    transfer::LineRules rules;
    rules.keep_user = transfer::KeepUser::yes;
    return events->make(parsed, rules).user_id == "ann" ? Outcome() : ErrorCode::kCorrupt;
  });
}

TEST(OutOfMemory, InALineOfAJsonLog) {
  const std::string line = R"({"ts":1772359200,"user_id":"ann","request":{"method":"GET","uri":"/a\u00e9?b=)" +
                           std::string(300, 'c') + R"(","host":"Shop.example","headers":{"User-Agent":["M \"x\" )" +
                           std::string(300, 'd') + R"("]}}})";
  std::unique_ptr<transfer::LogParser> parser;
  std::unique_ptr<transfer::LineEvents> events;
  const auto begin = [&] {
    parser = std::make_unique<transfer::LogParser>(transfer::LogFormat::automatic);
    events = std::make_unique<transfer::LineEvents>();
  };
  fail_each_allocation(begin, [&]() -> Outcome {
    transfer::LogLine parsed;
    if (parser->parse(line, parsed) != transfer::LineFault::none) return ErrorCode::kBadInput;
    transfer::LineRules rules;
    rules.keep_user = transfer::KeepUser::yes;
    return events->make(parsed, rules).hostname == "shop.example" ? Outcome() : ErrorCode::kCorrupt;
  });
}

TEST(OutOfMemory, OfAServerIs503AndItGoesOn) {
  http::Options options;
  options.threads = 1;
  SystemClock clock;
  metrics::Registry registry;
  http::Router router;
  router.add(http::Method::post, "/", {.body_bytes_max = 32 * MiB, .inflated_bytes_max = 32 * MiB},
             [](http::Request& request) -> boost::asio::awaitable<http::Response> {
               http::Response response;
               response.body = std::to_string(request.body.size());
               co_return response;
             });
  auto server = http::Server::open(options, clock, registry);
  ASSERT_TRUE(server);
  auto address = (*server)->listen("127.0.0.1:0", router);
  ASSERT_TRUE(address);
  (*server)->start();
  auto post = [](const std::string& headers, const std::string& body) {
    return "POST / HTTP/1.1\r\nHost: a\r\n" + headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body;
  };
  auto status = [&](const std::string& request) {
    http::testing::RawClient client(*address);
    client.send(request);
    return client.read().status;
  };
  const std::string text(16 * MiB, 'x');
  const std::string small = post("", "small");
  for (const std::string& request :
       {post("", text), post("Content-Encoding: gzip\r\n", http::testing::pack_zlib(text, 15 + 16))}) {
    EXPECT_EQ(status(request), 200);
    largest = 4 * MiB;
    const int without_memory = status(request);
    const int meanwhile = status(small);
    largest = SIZE_MAX;
    EXPECT_EQ(without_memory, 503);
    EXPECT_EQ(meanwhile, 200);
    EXPECT_EQ(status(request), 200);
  }
  (*server)->drain();
}

}  // namespace
}  // namespace weir
