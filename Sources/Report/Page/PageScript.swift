/// The page's script, which filters, sorts and folds the cases of the page.
///
/// Filters and order are in the fragment of the address, so that an address can be saved and shared:
/// `report.html#text=dice<0.8&status=rejected&sort=dice&down=1`.
enum PageScript {
  static let text = """

    "use strict";
    const table = document.getElementById("cases");
    const form = document.getElementById("filters");
    const input = document.getElementById("text");
    const cases = Array.from(table.tBodies, (body) => ({
      body,
      text: body.textContent.toLowerCase(),
      status: body.dataset.status.split(","),
      marks: body.dataset.marks.split(","),
      values: Object.fromEntries(Array.from(body.querySelectorAll(".line > [data-key]"), (cell) =>
        [cell.dataset.key, cell.dataset.value ?? cell.textContent])),
    }));
    let order = { key: "", down: false };

    const comparisons = {
      "<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b, "=": (a, b) => a === b,
    };

    function test(word) {
      const parts = /^([a-z0-9]+)(<=|>=|<|>|=)(-?[0-9]*\\.?[0-9]+)$/.exec(word);
      if (!parts || !(parts[1] in cases[0].values)) return (item) => item.text.includes(word);
      const limit = Number(parts[3]);
      return (item) => item.values[parts[1]] !== "" && comparisons[parts[2]](Number(item.values[parts[1]]), limit);
    }

    function chosen(name) {
      return Array.from(form.querySelectorAll(`input[name=${name}]:checked`), (box) => box.value);
    }

    function show() {
      const tests = cases.length ? input.value.toLowerCase().split(/\\s+/).filter(Boolean).map(test) : [];
      const [statuses, marks] = [chosen("status"), chosen("mark")];
      let count = 0;
      for (const item of cases) {
        const fits = tests.every((passes) => passes(item))
          && (!statuses.length || statuses.some((status) => item.status.includes(status)))
          && marks.every((mark) => item.marks.includes(mark));
        item.body.hidden = !fits;
        if (fits) count += 1;
      }
      const all = cases.length === 1 ? "1 case" : `${cases.length} cases`;
      document.getElementById("count").textContent = count === cases.length ? all : `${count} of ${all}`;
    }

    function sort() {
      const names = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
      const position = (item) => Number(item.body.dataset.position);
      const sorted = [...cases].sort((one, other) => {
        const [a, b] = [one.values[order.key] ?? "", other.values[order.key] ?? ""];
        if (a === b) return position(one) - position(other);
        if (a === "") return 1;
        if (b === "") return -1;
        const isNumeric = !Number.isNaN(Number(a)) && !Number.isNaN(Number(b));
        const sign = isNumeric ? Number(a) - Number(b) : names.compare(a, b);
        return order.down ? -sign : sign;
      });
      table.append(...sorted.map((item) => item.body));
      for (const head of table.tHead.rows[0].cells) {
        if (head.dataset.key === order.key) head.setAttribute("aria-sort", order.down ? "descending" : "ascending");
        else head.removeAttribute("aria-sort");
      }
    }

    function remember() {
      const state = new URLSearchParams();
      if (input.value) state.set("text", input.value);
      for (const name of ["status", "mark"]) if (chosen(name).length) state.set(name, chosen(name).join(","));
      if (order.key) state.set("sort", order.key);
      if (order.down) state.set("down", "1");
      history.replaceState(null, "", "#" + state);
    }

    function restore() {
      const state = new URLSearchParams(location.hash.slice(1));
      input.value = state.get("text") ?? "";
      for (const box of form.querySelectorAll("input[type=checkbox]"))
        box.checked = (state.get(box.name) ?? "").split(",").includes(box.value);
      order = { key: state.get("sort") ?? "", down: state.get("down") === "1" };
      sort();
      show();
    }

    form.addEventListener("input", () => { show(); remember(); });
    form.addEventListener("submit", (event) => event.preventDefault());
    table.tHead.addEventListener("click", (event) => {
      const key = event.target.dataset.key;
      if (!key) return;
      order = { key, down: order.key === key && !order.down };
      sort();
      remember();
    });
    table.addEventListener("click", (event) => {
      const line = event.target.closest(".line");
      if (line && String(getSelection()) === "") line.parentElement.classList.toggle("folded");
    });
    document.getElementById("fold").addEventListener("click", (event) => {
      const folds = cases.some((item) => !item.body.classList.contains("folded"));
      for (const item of cases) item.body.classList.toggle("folded", folds);
      event.target.textContent = folds ? "Unfold all" : "Fold all";
    });
    addEventListener("hashchange", restore);
    form.hidden = false;
    restore();

    """
}
