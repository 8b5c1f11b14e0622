import Crypto

/// HMAC-SHA256 in lower-case hexadecimal digits: what the exchange takes for a signature.
public func venueSignature(_ text: String, _ secret: String) -> String {
    let code = HMAC<SHA256>.authenticationCode(
        for: Array(text.utf8), using: SymmetricKey(data: Array(secret.utf8)))
    return hexadecimalDigits(code)
}

/// Bytes in lower-case hexadecimal digits.
public func hexadecimalDigits(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef")
    return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
}
