/// Looks at the clock, and asks the host, whether a solver is to stop. Once it is, it stays so.
struct Watch {
    private var isLimited = false
    private var end: ContinuousClock.Instant?
    private var isCancelled: (() -> Bool)?
    private var nextQuestion: ContinuousClock.Instant?
    /// Whether it has said so.
    private(set) var hasStopped = false

    private static let betweenQuestions = Duration.milliseconds(10)
    /// Longer limits are none: in seconds.
    private static let longest = 1e9

    mutating func start(seconds: Double, _ isCancelled: (() -> Bool)?) {
        hasStopped = false
        self.isCancelled = isCancelled
        end = nil
        nextQuestion = nil
        isLimited = isCancelled != nil || seconds < Self.longest
        guard isLimited else { return }
        let now = ContinuousClock.now
        if seconds < Self.longest { end = now + .seconds(max(seconds, 0)) }
        nextQuestion = now
    }

    /// Whether it is time to stop; to be asked now and then, which costs next to nothing where there is no limit.
    var isOver: Bool {
        mutating get { isLimited && look() }
    }

    private mutating func look() -> Bool {
        guard !hasStopped else { return true }
        let now = ContinuousClock.now
        if let end, now >= end { hasStopped = true }
        if let isCancelled, let next = nextQuestion, now >= next {
            nextQuestion = now + Self.betweenQuestions
            if isCancelled() { hasStopped = true }
        }
        return hasStopped
    }

    var secondsLeft: Double {
        guard let end else { return .infinity }
        return max((end - ContinuousClock.now) / .seconds(1), 0)
    }
}
