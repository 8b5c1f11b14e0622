// QuantLib's American prices per second from C++, on the contracts of `scripts/generate-american prices`.
//
//     american TABLE
//
// What is timed is NPV() alone, of an option that is there already, on quotes that are set: the engine's own work. Times are
// the processor's, of this thread. Errors are against the table's price, for a strike of 100.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <memory>
#include <ql/exercise.hpp>
#include <ql/instruments/vanillaoption.hpp>
#include <ql/pricingengines/vanilla/qdfpamericanengine.hpp>
#include <ql/processes/blackscholesprocess.hpp>
#include <ql/quotes/simplequote.hpp>
#include <ql/settings.hpp>
#include <ql/termstructures/volatility/equityfx/blackconstantvol.hpp>
#include <ql/termstructures/yield/flatforward.hpp>
#include <ql/time/calendars/nullcalendar.hpp>
#include <ql/time/daycounters/actual365fixed.hpp>
#include <ql/version.hpp>
#include <sstream>
#include <string>
#include <vector>

using namespace QuantLib;

struct Row {
    bool put;
    double spot, strike, years, volatility, rate, dividend, price;
};

static double seconds_of_thread() {
    timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

int main(int count, char **arguments) {
    if (count != 2) {
        std::fprintf(stderr, "usage: american TABLE\n");
        return 2;
    }
    std::ifstream file(arguments[1]);
    std::string line;
    std::vector<Row> rows;
    std::getline(file, line);
    while (std::getline(file, line)) {
        std::stringstream fields(line);
        std::string field;
        std::vector<std::string> all;
        while (std::getline(fields, field, ',')) all.push_back(field);
        if (all.size() < 8) {
            std::fprintf(stderr, "american: %s: a line with %zu fields\n", arguments[1], all.size());
            return 1;
        }
        rows.push_back(
            {all[0] == "P", std::stod(all[1]), std::stod(all[2]), std::stod(all[3]), std::stod(all[4]),
             std::stod(all[5]), std::stod(all[6]), std::stod(all[7])});
    }
    const Date today(1, January, 2025);
    const DayCounter days = Actual365Fixed();
    Settings::instance().evaluationDate() = today;
    const auto spot = ext::make_shared<SimpleQuote>(100.0), rate = ext::make_shared<SimpleQuote>(0.05),
               dividend = ext::make_shared<SimpleQuote>(0.0), volatility = ext::make_shared<SimpleQuote>(0.2);
    const auto flat = [&](const ext::shared_ptr<SimpleQuote> &quote) {
        return Handle<YieldTermStructure>(ext::make_shared<FlatForward>(today, Handle<Quote>(quote), days));
    };
    const auto process = ext::make_shared<BlackScholesMertonProcess>(
        Handle<Quote>(spot), flat(dividend), flat(rate),
        Handle<BlackVolTermStructure>(
            ext::make_shared<BlackConstantVol>(today, NullCalendar(), Handle<Quote>(volatility), days)));
    std::printf("QuantLib %s from C++, %zu contracts\n", QL_VERSION, rows.size());
    const std::pair<const char *, ext::shared_ptr<QdFpIterationScheme>> schemes[] = {
        {"fast", QdFpAmericanEngine::fastScheme()}, {"accurate", QdFpAmericanEngine::accurateScheme()}};
    for (const auto &scheme : schemes) {
        const auto engine = ext::make_shared<QdFpAmericanEngine>(process, scheme.second);
        std::vector<double> rounds;
        double squares = 0, largest = 0;
        for (int round = 0; round < 5; round++) {
            double spent = 0;
            squares = largest = 0;
            for (const Row &row : rows) {
                VanillaOption option(
                    ext::make_shared<PlainVanillaPayoff>(row.put ? Option::Put : Option::Call, row.strike),
                    ext::make_shared<AmericanExercise>(today, today + static_cast<int>(std::lround(row.years * 365))));
                option.setPricingEngine(engine);
                spot->setValue(row.spot);
                rate->setValue(row.rate);
                dividend->setValue(row.dividend);
                volatility->setValue(row.volatility);
                const double start = seconds_of_thread();
                const double price = option.NPV();
                spent += seconds_of_thread() - start;
                squares += (price - row.price) * (price - row.price);
                largest = std::max(largest, std::fabs(price - row.price));
            }
            rounds.push_back(spent);
        }
        std::sort(rounds.begin(), rounds.end());
        const double size = static_cast<double>(rows.size());
        std::printf(
            "%-10s %12.3g prices/s   rms %.3g   largest error %.3g\n", scheme.first, size / rounds[2],
            std::sqrt(squares / size), largest);
    }
    return 0;
}
