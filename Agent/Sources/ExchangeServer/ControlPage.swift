/// The page of the control port: books, orders, faults. It loads nothing from elsewhere.
let controlPage = #"""
    <!doctype html>
    <html lang="en">
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>Test exchange</title>
    <style>
      :root { color-scheme: light dark; font: 14px/1.4 system-ui, sans-serif }
      body { margin: 1rem; max-width: 80rem }
      main { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); gap: 1.5rem }
      table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
      th, td { text-align: left; padding: .1rem .6rem .1rem 0; border-bottom: 1px solid #8884 }
      td.n { text-align: right } h2 { font-size: 1rem; margin: 0 0 .4rem }
      .bid { color: #2a8f4a } .ask { color: #c0392b } .list { max-height: 24rem; overflow: auto }
      input, select, button { font: inherit } #said { color: #c0392b; white-space: pre-wrap }
    </style>
    <h1>Test exchange</h1>
    <p id="head"></p>
    <main>
      <section><h2>Book of <select id="name"></select></h2><table id="book"></table></section>
      <section><h2>Faults</h2>
        <form id="add">
          <select id="kind"></select>
          <input id="more" size="30" placeholder='"lasts": 5000, "count": 3' aria-label="more keys">
          <button>Add</button> <button type="button" id="clear">End all</button>
        </form>
        <div id="said" role="status"></div>
        <table id="faults"></table></section>
      <section><h2>Accounts</h2><div id="accounts"></div></section>
      <section><h2>Instruments</h2><div class="list"><table id="list"></table></div></section>
    </main>
    <script>
      const token = new URLSearchParams(location.search).get("token") ?? "";
      const at = id => document.getElementById(id);
      async function ask(path, method = "GET", body) {
        const reply = await fetch(path, { method, body, headers: { Authorization: "Bearer " + token } });
        const json = await reply.json();
        if (!reply.ok) throw new Error(json.error);
        return json;
      }
      function rows(table, head, lines) {
        const all = [head, ...lines].map((cells, row) => {
          const line = document.createElement("tr");
          for (const cell of cells) {
            const box = document.createElement(row ? "td" : "th");
            if (cell instanceof Node) box.append(cell); else box.textContent = cell;
            if (typeof cell === "number") box.className = "n";
            line.append(box);
          }
          return line;
        });
        table.replaceChildren(...all);
      }
      function button(text, act) {
        const made = document.createElement("button");
        made.textContent = text;
        made.onclick = () => act().then(show, tell);
        return made;
      }
      const tell = error => { at("said").textContent = error.message };
      async function show() {
        const state = await ask("/control/state?instrument=" + encodeURIComponent(at("name").value || "BTC-PERPETUAL"));
        at("head").textContent = new Date(state.time).toISOString() + " · " + state.sessions + " connections · "
          + state.indices.map(index => index.name + " " + index.price).join(" · ")
          + (state.maintenance ? " · maintenance" : "") + (state.settling ? " · settling" : "");
        const names = state.instruments.map(one => one.name);
        if (at("name").length !== names.length) {
          const chosen = at("name").value || "BTC-PERPETUAL";
          at("name").replaceChildren(...names.map(name => new Option(name, name, false, name === chosen)));
        }
        const book = state.book ?? { bids: [], asks: [] };
        rows(at("book"), ["", "price", "amount"], [
          ...book.asks.map(([price, amount]) => ["ask", price, amount]).reverse(),
          ...book.bids.map(([price, amount]) => ["bid", price, amount])]);
        for (const line of at("book").rows) line.className = line.cells[0].textContent;
        rows(at("list"), ["instrument", "state", "bid", "mark", "ask"],
          state.instruments.map(one => [one.name, one.state, one.bid, one.mark, one.ask]));
        at("accounts").replaceChildren(...state.accounts.flatMap(account => {
          const title = document.createElement("h2"), money = document.createElement("p");
          title.textContent = account.name;
          money.textContent = account.balances.map(one => one.currency + " " + one.balance).join(" · ");
          const orders = document.createElement("table"), positions = document.createElement("table");
          rows(orders, ["order", "instrument", "side", "price", "filled", "amount"], account.orders.map(one =>
            [one.order_id, one.instrument_name, one.direction, one.price, one.filled_amount ?? 0, one.amount]));
          rows(positions, ["position", "size", "average"], account.positions.map(one =>
            [one.instrument_name, one.size, one.average_price]));
          return [title, money, orders, positions];
        }));
        const faults = await ask("/control/faults");
        if (!at("kind").length) at("kind").replaceChildren(...faults.kinds.map(kind => new Option(kind)));
        rows(at("faults"), ["rule", "strikes", "", ""], faults.faults.map(one => [
          JSON.stringify(one.rule), one.strikes, one.over ? "over" : one.on ? "on" : "",
          button("End", () => ask("/control/faults/" + one.id, "DELETE"))]));
      }
      at("add").onsubmit = event => {
        event.preventDefault();
        at("said").textContent = "";
        const more = at("more").value.trim();
        ask("/control/faults", "POST", "{\"kind\":" + JSON.stringify(at("kind").value) + (more ? "," + more : "") + "}")
          .then(show, tell);
      };
      at("clear").onclick = () => ask("/control/faults", "DELETE").then(show, tell);
      show().catch(tell);
      setInterval(() => show().catch(tell), 1000);
    </script>
    </html>
    """#
