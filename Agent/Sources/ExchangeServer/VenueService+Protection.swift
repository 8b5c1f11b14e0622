import TestExchange
import VenueProtocol

/// Market-maker protection over the protocol: of orders, as quotes and blocks are not served here.
extension VenueService {
    func protection(_ call: Call, _ account: Int) throws(VenueFault) -> any VenueValue {
        if call.parameters["mmp_group"] != nil {
            throw invalid("mmp_group", "quotes and their groups are not served here")
        }
        if call.parameters["block_rfq"]?.boolean == true {
            throw invalid("block_rfq", "requests for blocks are not served here")
        }
        let name = call.parameters["index_name"]?.string
        let index = name.flatMap { name in exchange.indices.firstIndex { $0.name == name } }
        if name != nil, index == nil { throw invalid("index_name") }
        switch call.method {
        case "private/set_mmp_config":
            guard let index else { throw invalid("index_name") }
            try exchange.protect(try read(call), account: account, index: index)
            return exchange.protections(of: account).filter { $0.indexName == name }
        case "private/get_mmp_config":
            return exchange.protections(of: account).filter { name == nil || $0.indexName == name }
        case "private/get_mmp_status":
            return exchange.frozen(of: account).filter { name == nil || $0.indexName == name }.map {
                var status = $0
                // The group of orders has no name, and the entry wants one.
                status.group = ""
                return status
            }
        default:
            guard let index else { throw invalid("index_name") }
            guard exchange.resetProtection(account: account, index: index) else {
                throw VenueFault(.otherReject, detail: .init(reason: "mmp_not_configured"))
            }
            return "ok"
        }
    }
}
