// As reference.c, through poise.hpp.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <poise.hpp>

int main(int count, char **arguments) {
    std::ifstream file(count == 2 ? arguments[1] : "");
    std::string line;
    if (!std::getline(file, line) || !line.starts_with("type,spot,strike,years,vol,rate,dividend")) return 2;
    std::vector<std::uint8_t> type;
    std::vector<double> inputs[6];
    while (std::getline(file, line)) {
        char *next = line.data() + 2;
        type.push_back(line[0] == 'P');
        for (auto &column : inputs) column.push_back(std::strtod(next, &next)), next++;
    }
    std::vector<std::vector<double>> greeks(POISE_GREEK_COUNT, std::vector<double>(type.size()));
    try {
        const poise::engine engine;
        engine.greeks(
            {type, inputs[0], inputs[1], inputs[2], inputs[3], inputs[4], inputs[5]}, POISE_GREEKS_ALL,
            std::vector<std::span<double>>(greeks.begin(), greeks.end()));
        // A wrong option is an exception that knows its row.
        inputs[3][1] = -1;
        try {
            engine.greeks(
                {type, inputs[0], inputs[1], inputs[2], inputs[3], inputs[4], inputs[5]}, POISE_GREEKS_ALL,
                std::vector<std::span<double>>(greeks.begin(), greeks.end()));
            return 1;
        } catch (const poise::error &error) {
            if (error.row != 1 || error.field != "volatility" || error.value != -1) return 1;
        }
        inputs[3][1] = inputs[3][0];
        std::vector<double> price(2);
        const double rate = 0;
        const std::span<double> columns[] = {price};
        engine.greeks(
            {{type.data(), 2},
             {inputs[0].data(), 2},
             {inputs[1].data(), 2},
             {inputs[2].data(), 2},
             {inputs[3].data(), 2},
             {&rate, 1},
             {&rate, 1}},
            POISE_GREEKS_PRICE, columns);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    for (std::size_t row = 0; row < type.size(); row++)
        for (int i = 0; i < POISE_GREEK_COUNT; i++)
            std::printf("%.17g%c", greeks[i][row], i + 1 < POISE_GREEK_COUNT ? ',' : '\n');
}
