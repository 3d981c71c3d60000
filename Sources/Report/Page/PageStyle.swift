/// The page's styles: dense, light and dark, and for paper.
enum PageStyle {
  static let text = """

    :root { --ground: #fff; --raised: #f5f6f8; --line: #dfe2e8; --text: #1b1e24; --quiet: #667085; --accent: #0b6bb3;
      --good: #0d7a4f; --bad: #b3261e; --warn: #9a6200; --odd: #8a3f78; }
    @media (prefers-color-scheme: dark) { :root { --ground: #14161b; --raised: #1c1f26; --line: #2e333d; --text: #e4e6eb;
      --quiet: #98a1b0; --accent: #62b5f0; --good: #4cc38a; --bad: #ff7b72; --warn: #e3a13b; --odd: #d58fc2; } }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--ground); color: var(--text);
      font: 13px/1.4 system-ui, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; }
    header, main { max-width: 1500px; margin: 0 auto; padding: 0 20px; }
    header { padding-top: 18px; }
    h1 { font-size: 20px; margin: 0; overflow-wrap: anywhere; }
    h2 { font-size: 13px; margin: 14px 0 6px; color: var(--quiet); font-weight: 600; }
    header p { margin: 2px 0 10px; color: var(--quiet); }
    .tallies { display: flex; flex-wrap: wrap; gap: 8px; list-style: none; margin: 0; padding: 0; }
    .tally { background: var(--raised); border: 1px solid var(--line); border-left: 3px solid var(--quiet);
      border-radius: 6px; padding: 4px 12px; color: var(--quiet); }
    .tally b { font-size: 18px; color: var(--text); margin-right: 4px; font-variant-numeric: tabular-nums; }
    .tally.accepted { border-left-color: var(--good); }
    .tally.rejected, .tally.missing, .tally.with-problems { border-left-color: var(--bad); }
    .tally.needs-work, .tally.flagged, .tally.unusual { border-left-color: var(--warn); }
    .tally.disputed { border-left-color: var(--odd); }
    .readers { display: flex; flex-wrap: wrap; gap: 0 36px; }
    table { border-collapse: collapse; }
    .small th, .small td { padding: 2px 8px 2px 0; text-align: left; border-bottom: 1px solid var(--line);
      vertical-align: top; }
    .small td:first-child { min-width: 7em; }
    .small th { font-weight: 600; color: var(--quiet); white-space: nowrap; }
    .small th[scope=row] { color: var(--text); }
    .small thead th:not(:first-child), td.number { text-align: right !important; }
    td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
    .toolbar { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; align-items: center; gap: 8px;
      background: var(--ground); padding: 10px 0; margin-top: 8px; border-bottom: 1px solid var(--line); }
    .toolbar[hidden] { display: none; }
    .toolbar input[type=search] { flex: 1 1 280px; min-width: 180px; font: inherit; color: inherit;
      background: var(--raised); border: 1px solid var(--line); border-radius: 6px; padding: 6px 10px; }
    .chips { display: flex; flex-wrap: wrap; gap: 6px; }
    .chip { border: 1px solid var(--line); border-radius: 20px; padding: 3px 10px 3px 6px; cursor: pointer;
      user-select: none; }
    .chip:has(:checked) { background: var(--accent); border-color: var(--accent); color: var(--ground); }
    .chip input { accent-color: var(--accent); margin: 0 5px 0 0; vertical-align: -2px; }
    button { font: inherit; color: var(--accent); background: none; border: 1px solid var(--line); border-radius: 6px;
      padding: 4px 10px; cursor: pointer; }
    #count { color: var(--quiet); font-variant-numeric: tabular-nums; margin-left: auto; }
    .cases { width: 100%; margin-bottom: 40px; }
    .cases > thead th { text-align: left; font-weight: 600; color: var(--quiet); padding: 8px 8px 6px;
      border-bottom: 1px solid var(--line); white-space: nowrap; cursor: pointer; user-select: none; }
    .cases > thead th[aria-sort] { color: var(--accent); }
    .cases > thead th[aria-sort=ascending]::after { content: " \\2191"; }
    .cases > thead th[aria-sort=descending]::after { content: " \\2193"; }
    .case .line > * { padding: 7px 8px; text-align: left; vertical-align: top; background: var(--raised);
      border-top: 1px solid var(--line); }
    .cases > thead th.number { text-align: right; }
    .case .line { cursor: pointer; }
    .case .line [data-key=status] { white-space: nowrap; }
    .case .line th { font-weight: 650; overflow-wrap: anywhere; min-width: 11em; }
    .details > td { padding: 8px 8px 18px; }
    .case.folded .details { display: none; }
    .detail { display: flex; flex-wrap: wrap; gap: 12px 22px; align-items: flex-start; width: min(100vw - 72px, 1444px); }
    .pictures { display: grid; gap: 8px; flex: 0 1 660px; min-width: 0; }
    figure { margin: 0; }
    figure img { display: block; max-width: 100%; height: auto; border-radius: 4px; background: #000; }
    figcaption { color: var(--quiet); font-size: 12px; padding-top: 2px; }
    .key { white-space: nowrap; margin-left: 8px; }
    .key i { display: inline-block; width: 9px; height: 9px; border-radius: 2px; margin-right: 4px;
      border: 1px solid var(--line); }
    .facts { flex: 1 1 620px; min-width: 0; display: grid; gap: 10px; justify-items: start; overflow-x: auto; }
    .facts ul { margin: 0; padding: 0; list-style: none; }
    .facts li { overflow-wrap: anywhere; }
    .flags li::before { content: "\\25B2\\A0"; color: var(--warn); }
    .problems li { color: var(--bad); }
    .problems li::before { content: "\\25CF\\A0"; }
    .files { color: var(--quiet); font: 11px/1.5 ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
    .files span { display: inline-block; min-width: 5em; }
    dl { margin: 0; display: flex; flex-wrap: wrap; gap: 2px 18px; }
    dl div { display: flex; gap: 6px; }
    dt { color: var(--quiet); }
    dd { margin: 0; }
    .line .comment { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden; }
    .comment + .comment::before { content: "\\B7\\A0"; color: var(--quiet); }
    .words { white-space: pre-line; overflow-wrap: anywhere; }
    .tag { border: 1px solid var(--line); border-radius: 4px; padding: 0 5px; color: var(--quiet); }
    .badge { display: inline-block; border-radius: 4px; padding: 0 7px; white-space: nowrap; border: 1px solid currentColor;
      color: var(--quiet); }
    .badge.accepted { color: var(--good); }
    .badge.rejected, .badge.missing { color: var(--bad); }
    .badge.needs-work, .badge.flagged { color: var(--warn); }
    .badge.disputed { color: var(--odd); }
    @media (max-width: 1000px) { .cases [data-key=surface], .cases [data-key=readers], .cases [data-key=seconds] {
      display: none; } }
    @media print { :root { --ground: #fff; --raised: #f5f6f8; --line: #ccc; --text: #000; --quiet: #444; }
      .toolbar { display: none !important; } .case { break-inside: avoid; } header, main { max-width: none; padding: 0; }
      .detail { width: auto; }
      .case.folded .details { display: table-row; } }

    """
}
