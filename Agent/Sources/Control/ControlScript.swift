/// The page's script. Texts of the agent are set as texts, never as markup.
let controlScript = #"""
    "use strict";
    const at = id => document.getElementById(id);
    if (location.hash.length > 1) {
      sessionStorage.setItem("token", location.hash.slice(1));
      history.replaceState(null, "", location.pathname);
    }
    const token = sessionStorage.getItem("token") ?? "";
    const authorization = { Authorization: "Bearer " + token };
    const whole = value => value == null ? "–" : Math.round(value).toLocaleString("en").replace("-", "−");
    const figure = (value, digits = 4) => value == null ? "–"
      : value.toLocaleString("en", { maximumFractionDigits: digits }).replace("-", "−");
    const clock = time => new Date(time).toISOString().slice(11, 19);
    const history_ = new Map();

    function element(name, text, className) {
      const made = document.createElement(name);
      if (text != null) made.textContent = text;
      if (className) made.className = className;
      return made;
    }
    function rows(table, head, lines, empty = "none") {
      const all = [head, ...lines].map((cells, row) => {
        const line = element("tr");
        for (const cell of cells) {
          const [text, className] = Array.isArray(cell) ? cell : [cell, ""];
          line.append(element(row ? "td" : "th", text, className));
        }
        return line;
      });
      if (!lines.length) all.splice(0, 1, (line => (line.append(element("td", empty, "soft")), line))(element("tr")));
      table.replaceChildren(...all);
    }
    function list(box, pairs) {
      box.replaceChildren(...pairs.flatMap(([name, text, className]) =>
        [element("dt", name), element("dd", text, className)]));
    }
    const drawing = (name, attributes) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
      return made;
    };

    // Where the exposure is between the edges of its band, and where it was.
    function picture(band, points, isWide) {
      const values = isWide ? points.map(point => point[1]) : [band.value];
      const edges = [band.low, band.high].filter(edge => edge != null);
      let low = Math.min(...values, ...edges), high = Math.max(...values, ...edges);
      const room = (high - low || 1) * .08;
      [low, high] = [low - room, high + room];
      const svg = drawing("svg", { viewBox: "0 0 400 100", preserveAspectRatio: "none", role: "img",
        "aria-label": `${band.underlying} ${band.greek} ${whole(band.value)} in ${whole(band.low)} to ${whole(band.high)}` });
      const place = value => (value - low) / (high - low);
      const bandLow = place(band.low ?? low), bandHigh = place(band.high ?? high);
      if (isWide) {
        svg.append(drawing("rect", { class: "inside", x: 0, width: 400, y: 100 - 100 * bandHigh, height: 100 * (bandHigh - bandLow) }));
        for (const edge of edges) svg.append(drawing("line", { class: "edge", x1: 0, x2: 400, y1: 100 - 100 * place(edge), y2: 100 - 100 * place(edge) }));
        const first = points[0][0], span = Math.max(1, points.at(-1)[0] - first);
        svg.append(drawing("polyline", { class: "trace",
          points: points.map(([time, value]) => `${(400 * (time - first) / span).toFixed(1)},${(100 - 100 * place(value)).toFixed(1)}`).join(" ") }));
      } else {
        svg.append(drawing("rect", { class: "inside", x: 400 * bandLow, width: 400 * (bandHigh - bandLow), y: 30, height: 40 }));
        for (const edge of edges) svg.append(drawing("line", { class: "edge", x1: 400 * place(edge), x2: 400 * place(edge), y1: 15, y2: 85 }));
        const isOut = band.value < (band.low ?? -Infinity) || band.value > (band.high ?? Infinity);
        svg.append(drawing("rect", { class: isOut ? "now out" : "now", x: 400 * place(band.value) - 3, width: 6, y: 10, height: 80 }));
      }
      return svg;
    }

    function bands(state) {
      at("bands").replaceChildren(...state.bands.map(band => {
        const key = band.book + band.underlying + band.greek;
        const points = history_.get(key) ?? [];
        if (!points.length || points.at(-1)[0] !== state.time) points.push([state.time, band.value]);
        if (points.length > 600) points.shift();
        history_.set(key, points);
        const isOut = band.value < (band.low ?? -Infinity) || band.value > (band.high ?? Infinity);
        const row = element("div", null, "band");
        const name = element("div", `${band.underlying} ${band.greek}`);
        name.append(element("div", `${band.book} · ${band.unit}`, "soft"));
        const value = element("div", whole(band.value), "value " + (isOut ? "bad" : ""));
        value.append(element("div", `${whole(band.low)} … ${whole(band.high)}`, "soft"));
        const change = element("button", "Limits");
        change.onclick = () => askLimit(band);
        row.append(name, value, picture(band, points, false), picture(band, points, true), change);
        if (isOut && band.reason) row.append(element("div", "stays outside: " + band.reason, "why"));
        return row;
      }));
    }

    function show(state) {
      at("who").textContent = `${state.name} · ${state.venue} · ${state.mode} · run ${state.run} · ${clock(state.time)} UTC`;
      const kill = state.kill.level, isOn = kill !== "none";
      at("status").textContent = isOn ? `Switch: ${kill}, by ${state.kill.by}: ${state.kill.reason}`
        + (kill !== "pause" ? (state.kill.verified_at ? " · the venue lists no open order" : " · cancelling") : "")
        : state.not_ready ? "Not ready: " + state.not_ready : "Ready: trades";
      at("status").className = isOn ? "bad" : state.not_ready ? "warn" : "good";
      document.title = (isOn ? kill.toUpperCase() + " · " : "") + "Poise";
      bands(state);
      const counters = state.counters, cost = counters.shortfall, health = state.health;
      list(at("account"), [
        ["result today", whole(state.result_today_usd) + " USD", state.result_today_usd < 0 ? "bad" : "good"],
        ["below the day's peak", whole(state.drawdown_usd) + " USD"],
        ...state.prices.map(index => [index.name, figure(index.price, 2), index.age_ms > 5000 ? "warn" : ""])]);
      rows(at("money"), ["", ["equity", "n"], ["today", "n"], ["available", "n"]], state.money.map(one =>
        [one.currency, [figure(one.equity, 6), "n"], [figure(one.change_today, 6), "n"], [figure(one.available_funds, 6), "n"]]), "not known");
      list(at("hedging"), [
        ["hedges", whole(counters.plans)], ["orders sent", whole(counters.sent)], ["fills", whole(counters.fills)],
        ["refused by the venue", whole(counters.refused)], ["held back by guards", whole(counters.guarded)],
        ["cost", whole(cost.spread + cost.impact + cost.delay + cost.fees) + " USD"],
        ["spread · impact", `${whole(cost.spread)} · ${whole(cost.impact)}`],
        ["delay · fees", `${whole(cost.delay)} · ${whole(cost.fees)}`]]);
      const oldest = state.ages.reduce((most, age) => Math.max(most, age.ticker_age_ms), 0);
      list(at("health"), [
        ["line", health.is_up ? "up" : "down", health.is_up ? "good" : "bad"],
        ["lost", `${health.lost_market} market · ${health.lost_trading} trading`],
        ["clock", state.clock_offset_ms == null ? "not measured" : figure(state.clock_offset_ms, 1) + " ms"],
        ["oldest price", `${figure(oldest / 1000, 1)} s of ${state.ages.length}`],
        ["books begun anew", whole(health.book_gaps)],
        ["positions compared", health.reconciled_at ? clock(health.reconciled_at) : "not yet"],
        ["differences", state.mismatches.join(", ") || "none", state.mismatches.length ? "bad" : ""],
        ["message to order", health.tick_to_order_count ? `${figure(health.tick_to_order_p50_us / 1000, 2)} ms, 99%: ${figure(health.tick_to_order_p99_us / 1000, 2)} ms` : "–"],
        ["journal", whole(state.journal_records) + " records"]]);
      rows(at("orders"), ["order", "instrument", ["left", "n"], ["price", "n"], ""], state.orders.map(order =>
        [order.label, order.instrument, [figure(order.remaining), "n"], [figure(order.price), "n"], order.phase]));
      rows(at("holdings"), ["book", "instrument", ["amount", "n"], ""], state.holdings.map(one =>
        [one.book, one.instrument, [figure(one.amount), "n"], [one.is_blocked ? "blocked" : "", "bad"]]));
      const colours = { kill: "bad", mismatch: "bad", alarm: "warn", unhedged: "warn", guarded: "warn", refused: "warn", fill: "good" };
      rows(at("log"), ["time", "what", "about", "", ["figure", "n"], ["bound", "n"]], state.reports.toReversed().map(report =>
        [clock(report.time), [report.kind, colours[report.kind] ?? "soft"], report.subject, report.text,
          [report.figure == null ? "" : figure(report.figure), "n"], [report.bound == null ? "" : figure(report.bound), "n"]]), "nothing yet");
    }

    // MARK: commands

    const words = {
      pause: ["Pause", "Takes back what works and sends nothing new, until it is resumed."],
      release: ["Resume", "Takes the switch back: the desk trades again. Say why it may."],
      cancel: ["Cancel all", "Cancels all orders of the account until the venue lists none, and sends nothing new."],
      flatten: ["Flatten", "Cancels everything and closes all positions by reduce-only orders within the collars."],
    };
    async function send(command) {
      const reply = await fetch("/api/command", { method: "POST", body: JSON.stringify(command),
        headers: { ...authorization, "Content-Type": "application/json" } });
      if (!reply.ok) throw new Error((await reply.json()).error);
      at("said").textContent = "";
    }
    const tell = error => { at("said").textContent = error.message };
    function ask(title, text, band, act) {
      at("ask-title").textContent = title;
      at("ask-text").textContent = text;
      at("ask-limit").hidden = !band;
      at("ask-low").value = band?.low ?? "";
      at("ask-high").value = band?.high ?? "";
      at("ask-reason").value = "";
      at("ask").returnValue = "";
      at("ask").onclose = () => { if (at("ask").returnValue === "yes") act(at("ask-reason").value).catch(tell) };
      at("ask").showModal();
    }
    function askLimit(band) {
      const number = id => { const text = at(id).value.trim(); return text === "" ? undefined : Number(text) };
      ask(`Limits of ${band.underlying} ${band.greek}`, `${band.book}, in ${band.unit}. Holds until the configuration says something else.`,
        band, async reason => {
          const [low, high] = [number("ask-low"), number("ask-high")];
          if ([low, high].some(Number.isNaN)) throw new Error("low and high are numbers, or empty");
          return send({ action: "limit", reason, limit: { book: band.book === "all books" ? undefined : band.book,
            underlying: band.underlying, greek: band.greek, low, high } });
        });
    }
    for (const button of document.querySelectorAll("[data-action]")) {
      const action = button.dataset.action;
      button.onclick = () => ask(...words[action], null, async reason => send({ action, reason }));
    }

    // Server-sent events over a request that carries the token, which EventSource cannot.
    async function follow() {
      const reply = await fetch("/api/stream", { headers: authorization });
      if (!reply.ok) throw new Error(reply.status === 401 ? "The token is missing or wrong: open the address that the agent names." : reply.statusText);
      const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) throw new Error("The agent is gone.");
        text += value;
        const parts = text.split("\n\n");
        text = parts.pop();
        const last = parts.findLast(part => part.startsWith("data: "));
        if (last) {
          const state = JSON.parse(last.slice(6));
          if (state.time) { show(state); if (at("said").textContent === "The agent is gone.") at("said").textContent = "" }
        }
      }
    }
    (async () => {
      for (;;) {
        try { await follow() } catch (error) { tell(error) }
        await new Promise(done => setTimeout(done, 1000));
      }
    })();
    """#
