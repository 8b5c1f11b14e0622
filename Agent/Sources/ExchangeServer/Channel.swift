import TestExchange
import VenueProtocol

/// A channel with its subscribers, and what it has yet to say.
final class Channel {
    let name: ChannelName
    let text: String
    /// Of a user's channel.
    let account: Int?
    /// Of a channel about one contract or index.
    let contract: Int?
    let index: Int?
    var subscribers: [Session] = []

    /// A book as subscribers know it.
    var bids: [PriceLevel] = []
    var asks: [PriceLevel] = []
    var changeID = 0
    var isDirty = false
    var trades: [ExchangeTrade] = []
    var orders: [ExchangeOrder] = []

    init(_ name: ChannelName, account: Int?, contract: Int?, index: Int?) {
        self.name = name
        text = name.description
        self.account = account
        self.contract = contract
        self.index = index
    }

    func send(_ content: some VenueValue) {
        let bytes = Notification(channel: text, content: content).json
        for session in subscribers { session.send(bytes, .notification(channel: text)) }
    }

    /// The changes from one side of a book to another, best first.
    static func changes(from old: [PriceLevel], to new: [PriceLevel], isBid: Bool) -> [LevelChange] {
        var changes: [LevelChange] = []
        var (one, two) = (0, 0)
        while one < old.count || two < new.count {
            if one < old.count, two < new.count, old[one].price == new[two].price {
                if old[one].amount != new[two].amount {
                    changes.append(LevelChange(.change, price: new[two].price, amount: new[two].amount))
                }
                one += 1
                two += 1
            } else if two == new.count
                || one < old.count
                    && (isBid ? old[one].price > new[two].price : old[one].price < new[two].price)
            {
                changes.append(LevelChange(.delete, price: old[one].price, amount: .zero))
                one += 1
            } else {
                changes.append(LevelChange(.new, price: new[two].price, amount: new[two].amount))
                two += 1
            }
        }
        return changes
    }
}
