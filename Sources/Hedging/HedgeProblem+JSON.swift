import Market

extension HedgeProblem {
    /// The problem in the format that `HedgeProblemFile` reads, all digits.
    public var json: String {
        var json = JSONWriter()
        write(to: &json)
        return json.take()
    }
}

extension HedgeProblem: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("name", name)
            // Files of before are of version 1 and don't say so.
            if countsAllCosts { json.member("version", 2) }
            json.member("underlyings", underlyings)
            json.member("marginLimit", marginLimit.ifFinite)
            json.member("budget", cashBudget.ifFinite)
            json.array("instruments") { json in
                for (i, instrument) in instruments.enumerated() {
                    instrument.write(
                        named: instrumentNames[i], i < curves.count ? curves[i] : .none, to: &json)
                }
            }
            json.array("bands") { json in
                for (name, band) in zip(bandNames, bands) {
                    band.write(named: name, entries[band.entries], to: &json)
                }
            }
            if let risk {
                let size = underlyings.count
                json.object("risk") { json in
                    json.member("lam", risk.riskAversion)
                    json.member(
                        "cov", (0..<size).map { Array(risk.covariance[$0 * size..<($0 + 1) * size]) })
                    json.member("d0", risk.dollarDelta)
                    json.member("exposure", risk.exposure)
                }
            }
        }
    }
}

extension HedgeInstrument {
    fileprivate func write(named name: String, _ curve: CostCurve, to json: inout JSONWriter) {
        json.object { json in
            json.member("id", name)
            json.member("u", underlying)
            json.member("costBuy", costBuy)
            json.member("costSell", costSell)
            json.member("impact", impact)
            json.member("fixed", fixedCost)
            json.member("lot", lot)
            json.member("minTrade", minimum)
            json.member("maxBuy", maximumBuy.ifFinite)
            json.member("maxSell", maximumSell.ifFinite)
            json.member("margin", margin)
            json.member("cash", cash)
            for (side, levels) in [("buy", curve.buy), ("sell", curve.sell)] {
                guard let levels else { continue }
                json.array(side) { json in
                    for level in levels {
                        json.object { json in
                            json.member("upTo", level.upTo.ifFinite)
                            json.member("price", level.price)
                            json.member("quadratic", level.quadratic)
                        }
                    }
                }
            }
        }
    }
}

extension HedgeBand {
    fileprivate func write(
        named name: String, _ entries: ArraySlice<HedgeEntry>, to json: inout JSONWriter
    ) {
        json.object { json in
            json.member("label", name)
            json.member("idx", entries.map { Int($0.instrument) })
            json.member("coef", entries.map(\.coefficient))
            json.member("current", current)
            json.member("lo", low.ifFinite)
            json.member("hi", high.ifFinite)
            json.member("hard", isHard)
            json.member("penalty", penalty)
            json.member("penaltyQuad", penaltyQuadratic)
        }
    }
}
