/// The page: nothing in it is a figure, so that it is given to anybody. It takes the token from the address' fragment, which no
/// request carries.
let controlPage = #"""
    <!doctype html>
    <html lang="en">
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Poise</title>
    <link rel="stylesheet" href="/page.css">
    <link rel="icon" href="data:,">
    <header>
      <div><h1>Poise</h1><span id="who"></span></div>
      <div id="status" role="status"></div>
      <div id="buttons">
        <button data-action="pause">Pause</button>
        <button data-action="release">Resume</button>
        <button data-action="cancel" class="strong">Cancel all</button>
        <button data-action="flatten" class="danger">Flatten</button>
      </div>
    </header>
    <p id="said" role="alert"></p>
    <main>
      <section class="wide"><h2>Exposures</h2><div id="bands"></div></section>
      <section><h2>Account</h2><dl id="account"></dl><table id="money"></table></section>
      <section><h2>Hedging</h2><dl id="hedging"></dl></section>
      <section><h2>Health</h2><dl id="health"></dl></section>
      <section><h2>Orders at work</h2><table id="orders"></table></section>
      <section><h2>Positions</h2><div class="scroll"><table id="holdings"></table></div></section>
      <section class="wide"><h2>What was decided and done</h2><div class="scroll"><table id="log"></table></div></section>
    </main>
    <dialog id="ask"><form method="dialog">
      <h2 id="ask-title"></h2><p id="ask-text"></p>
      <div id="ask-limit" hidden><label>Low <input id="ask-low" inputmode="decimal"></label>
        <label>High <input id="ask-high" inputmode="decimal"></label></div>
      <label>Reason <input id="ask-reason" autocomplete="off"></label>
      <menu><button value="">Back</button><button value="yes" id="ask-yes" class="strong">Do it</button></menu>
    </form></dialog>
    <script src="/page.js"></script>
    """#

let controlStyle = #"""
    :root {
      color-scheme: light dark; font: 14px/1.45 system-ui, sans-serif;
      --back: light-dark(#f4f5f7, #14171c); --card: light-dark(#fff, #1c2129); --ink: light-dark(#1b2028, #e4e8ee);
      --soft: light-dark(#677083, #8f9bb0); --line: light-dark(#e1e5ea, #2c333e); --good: light-dark(#177f55, #4bc48f);
      --bad: light-dark(#c02f2f, #ff7a70); --warn: light-dark(#a86a00, #e7b04d); --blue: light-dark(#2459c9, #7aa5ff);
    }
    * { box-sizing: border-box }
    body { margin: 0; background: var(--back); color: var(--ink) }
    header { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: .6rem 1.5rem; align-items: center;
      padding: .7rem 1.2rem; background: var(--card); border-bottom: 1px solid var(--line) }
    header h1 { display: inline; font-size: 1.25rem; margin: 0 .6rem 0 0; letter-spacing: -.01em }
    #who { color: var(--soft) }
    #status { flex: 1; min-width: 12rem; font-weight: 600 }
    #buttons { display: flex; flex-wrap: wrap; gap: .4rem }
    button { font: inherit; padding: .35rem .8rem; border: 1px solid var(--line); border-radius: .4rem; cursor: pointer;
      background: var(--card); color: var(--ink) }
    button:hover { border-color: var(--soft) }
    button:focus-visible, input:focus-visible { outline: 2px solid var(--blue); outline-offset: 1px }
    .strong { border-color: var(--warn); color: var(--warn) } .danger { border-color: var(--bad); color: var(--bad) }
    #said { margin: 0; padding: 0 1.2rem; color: var(--bad) } #said:not(:empty) { padding-top: .6rem }
    main { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 1rem; padding: 1rem 1.2rem;
      max-width: 90rem; margin: auto }
    section { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .8rem 1rem; min-width: 0;
      overflow-x: auto }
    .wide { grid-column: 1 / -1 }
    h2 { font-size: .8rem; font-weight: 600; margin: 0 0 .6rem; color: var(--soft); text-transform: uppercase; letter-spacing: .05em }
    table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
    th { text-align: left; font-weight: 500; color: var(--soft) }
    th, td { padding: .15rem .7rem .15rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
    tr:last-child td { border-bottom: 0 } .n { text-align: right }
    .scroll { max-height: 22rem; overflow: auto }
    dl { display: grid; grid-template-columns: auto 1fr; gap: .15rem 1rem; margin: 0 0 .5rem; font-variant-numeric: tabular-nums }
    dt { color: var(--soft) } dd { margin: 0; text-align: right; overflow-wrap: anywhere }
    .good { color: var(--good) } .bad { color: var(--bad) } .warn { color: var(--warn) } .soft { color: var(--soft) }
    .band { display: grid; grid-template-columns: 11rem 8rem minmax(8rem, 1fr) minmax(8rem, 1.4fr) auto; gap: .3rem 1rem;
      align-items: center; padding: .4rem 0; border-bottom: 1px solid var(--line) }
    .band:last-child { border-bottom: 0 }
    .band .value { font-size: 1.15rem; font-weight: 600; text-align: right; font-variant-numeric: tabular-nums }
    .band .value .soft { font-size: .85rem; font-weight: 400 } #money td, #money th { padding-right: .3rem }
    .band svg { width: 100%; height: 2.6rem; display: block; overflow: visible }
    .why { grid-column: 1 / -1; color: var(--warn) }
    @media (max-width: 46rem) { .band { grid-template-columns: 1fr auto } .band svg { grid-column: 1 / -1 } }
    svg .inside { fill: color-mix(in srgb, var(--good) 18%, transparent) } svg .edge { stroke: var(--good); stroke-dasharray: 3 3 }
    svg .zero { stroke: var(--line) } svg .trace { fill: none; stroke: var(--blue); stroke-width: 1.5; vector-effect: non-scaling-stroke }
    svg .now { fill: var(--blue) } svg .now.out { fill: var(--bad) }
    dialog { border: 1px solid var(--line); border-radius: .6rem; background: var(--card); color: var(--ink); max-width: 28rem }
    dialog label { display: block; margin: .5rem 0 } dialog input { font: inherit; width: 100%; padding: .3rem }
    menu { display: flex; justify-content: end; gap: .5rem; padding: 0; margin: 1rem 0 0 }
    """#
