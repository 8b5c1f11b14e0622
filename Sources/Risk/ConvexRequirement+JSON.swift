import Market

extension ConvexRequirement {
    /// All of it as an object in JSON: lines (constant, instruments, coefficients), kinks (first line, end), the base and the worsts
    /// with their outcomes (line, parts of kink and weight), bends (line, rate, scale, threshold), funds.
    public var jsonText: String {
        var json = JSONWriter()
        write(to: &json)
        return json.take()
    }

    package func write(to json: inout JSONWriter) {
        func write(_ outcome: Outcome, _ title: String?, to json: inout JSONWriter) {
            json.object { json in
                if let title { json.member("title", title) }
                json.member("line", outcome.line)
                json.member("kinks", parts[outcome.parts].map { Double($0.kink) })
                json.member("weights", parts[outcome.parts].map(\.weight))
            }
        }
        json.object { json in
            json.member("instruments", instrumentCount)
            json.member("funds", funds)
            json.member("fundsSlopes", fundsSlopes)
            json.array("lines") { json in
                for line in 0..<lineCount {
                    let places = self.places(ofLine: line)
                    json.object { json in
                        json.member("constant", constants[line])
                        json.member("idx", instruments[places].map { Double($0) })
                        json.member("coef", Array(coefficients[places]))
                    }
                }
            }
            json.array("kinks") { json in
                for kink in kinks {
                    json.object { json in
                        json.member("first", kink.lowerBound)
                        json.member("end", kink.upperBound)
                    }
                }
            }
            json.member("base") { json in write(base, nil, to: &json) }
            json.array("worsts") { json in
                for worst in worsts {
                    json.object { json in
                        json.member("weight", worst.weight)
                        json.array("outcomes") { json in
                            for place in worst.outcomes {
                                write(outcomes[place], titles[place], to: &json)
                            }
                        }
                    }
                }
            }
            json.array("bends") { json in
                for bend in bends {
                    json.object { json in
                        json.member("line", bend.line)
                        json.member("rate", bend.rate)
                        json.member("scale", bend.scale)
                        json.member("threshold", bend.threshold)
                    }
                }
            }
            json.member("notes", notes)
        }
    }
}
