// simdjson on the messages that agent-load wrote: every value of every message is read.
//
//     simdjson_lines MESSAGES
#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

namespace {

double processor_time() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double sum(simdjson::dom::element element) {
    switch (element.type()) {
    case simdjson::dom::element_type::ARRAY: {
        double total = 0;
        for (auto value : simdjson::dom::array(element)) total += sum(value);
        return total;
    }
    case simdjson::dom::element_type::OBJECT: {
        double total = 0;
        for (auto field : simdjson::dom::object(element))
            total += static_cast<double>(field.key.size()) + sum(field.value);
        return total;
    }
    case simdjson::dom::element_type::STRING:
        return static_cast<double>(std::string_view(element).size());
    case simdjson::dom::element_type::INT64:
    case simdjson::dom::element_type::UINT64:
    case simdjson::dom::element_type::DOUBLE:
        return double(element);
    default:
        return 1;
    }
}

} // namespace

int main(int, char **arguments) {
    simdjson::padded_string text = simdjson::padded_string::load(arguments[1]);
    std::vector<simdjson::padded_string> lines;
    std::string_view rest(text.data(), text.size());
    while (!rest.empty()) {
        const size_t end = rest.find('\n');
        lines.emplace_back(rest.substr(0, end));
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    simdjson::dom::parser parser;
    for (const bool reads : {false, true}) {
        double total = 0;
        const double start = processor_time();
        for (const auto &line : lines) {
            simdjson::dom::element root = parser.parse(line);
            total += reads ? sum(root) : 1;
        }
        const double spent = processor_time() - start;
        std::printf(
            "simdjson %s, %s: %.0f a second (%g)\n", SIMDJSON_STRINGIFY(SIMDJSON_VERSION),
            reads ? "every value read" : "parsed alone", static_cast<double>(lines.size()) / spent, total);
    }
}
