struct SimulationPage {
    let html: String
    init(_ result: SimulationResult, policy: Int?, path: Int) { html = "" }
}
