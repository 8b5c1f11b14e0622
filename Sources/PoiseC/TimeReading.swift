import CPoise
import Market
import Poise

@c @implementation
public func poise_time_parse(
    _ text: UnsafePointer<CChar>?, _ length: Int, _ milliseconds: UnsafeMutablePointer<Int64>?
) -> poise_status {
    attempt { () throws(Failure) in
        let place = try required(milliseconds, "milliseconds")
        let source = try Source(text, length, nil, default: "text")
        let written = String(decoding: source.bytes, as: UTF8.self)
        guard let time = Timestamp(text: written) else {
            throw Failure(
                status: POISE_ERROR_ARGUMENT, field: "text", value: written, reason: Timestamp.expectation)
        }
        place.pointee = time.milliseconds
    }
}
