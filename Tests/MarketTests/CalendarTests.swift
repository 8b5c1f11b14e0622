import Foundation
import Market
import Testing

/// Days against the calendar as it is taught, and against Foundation's.
struct CalendarTests {
    @Test("A month has its days and no more, a leap year in four but for three centuries in four")
    func lengths() {
        for (year, february) in [
            (1900, 28), (2000, 29), (2023, 28), (2024, 29), (2100, 28), (1, 28), (9999, 28),
        ] {
            for (month, length) in zip(1..., [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) {
                #expect(Day(year: year, month: month, day: 0) == nil)
                #expect(Day(year: year, month: month, day: 1) != nil)
                #expect(Day(year: year, month: month, day: length) != nil)
                #expect(Day(year: year, month: month, day: length + 1) == nil, "\(year)-\(month)")
            }
            #expect(Day(year: year, month: 0, day: 1) == nil && Day(year: year, month: 13, day: 1) == nil)
        }
        #expect(Day(year: 0, month: 1, day: 1) == nil && Day(year: 10_000, month: 1, day: 1) == nil)
    }

    @Test("Days are numbered one after another from 1 January 1970, as Foundation counts them")
    func numbers() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: "UTC"))
        for number in stride(from: -30_000, through: 60_000, by: 17) {
            let day = Day(number: number)
            let date = calendar.dateComponents(
                [.year, .month, .day], from: Date(timeIntervalSince1970: Double(number) * 86_400))
            #expect(
                day.year == date.year && day.month == date.month && day.day == date.day, "\(number): \(day)")
            #expect(day.number == number && Day(number: number - 1) < day)
        }
        #expect("\(Day(number: 0))" == "1970-01-01" && "\(Day(number: -1))" == "1969-12-31")
    }
}
