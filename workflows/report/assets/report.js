"use strict";
// Sortable tables, folded text that opens for printing, and where numbers come from.
(function () {
  function key(cell) {
    const raw = cell.dataset.sort;
    if (raw === undefined || raw === "") return null;
    const number = Number(raw);
    return Number.isNaN(number) ? raw.toLowerCase() : number;
  }

  function compare(a, b) {
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b), "en", { numeric: true });
  }

  function sortBy(table, column, ascending) {
    const body = table.tBodies[0];
    const rows = Array.from(body.rows, (row) => ({ row, key: key(row.cells[column]) }));
    rows.sort(function (one, two) {
      if (one.key === null || two.key === null) return (one.key === null) - (two.key === null);
      return ascending ? compare(one.key, two.key) : compare(two.key, one.key);
    });
    body.append(...rows.map((entry) => entry.row));
    table.querySelectorAll("th").forEach(function (th, k) {
      if (k === column) th.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      else th.removeAttribute("aria-sort");
    });
  }

  document.querySelectorAll("table").forEach(function (table) {
    table.querySelectorAll("th").forEach(function (th, column) {
      const button = document.createElement("button");
      button.type = "button";
      button.title = "Sort by this column";
      button.append(...th.childNodes);
      button.addEventListener("click", function () {
        sortBy(table, column, th.getAttribute("aria-sort") !== "ascending");
      });
      th.append(button);
    });
  });

  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details").forEach((one) => { one.open = true; });
  });
})();

// Where a number comes from: its tasks, told on request.
(function () {
  const dialog = document.querySelector("dialog.provenance");
  const known = new Map();

  function told(part) {
    // What a part says of its tasks, read once.
    if (!known.has(part)) known.set(part, JSON.parse(part.querySelector("script.tasks").textContent));
    return known.get(part);
  }

  function add(parent, tag, text, name) {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (name) made.className = name;
    parent.append(made);
    return made;
  }

  function seconds(value) { return value === undefined ? "" : `${Number(value).toFixed(1)} s`; }

  function facts(task, data) {
    const versions = Object.entries(data.versions[task.versions])
      .filter((pair) => pair[1]).map((pair) => pair.join(" ")).join(", ");
    return [
      ["Made by", `${task.function}, version ${task.version}`],
      ["State", task.state],
      ["Host", [task.host, task.platform].filter(Boolean).join(", ")],
      ["Started", task.started ? `${task.started.replace("T", " ").slice(0, 19)} UTC` : ""],
      ["Took", [seconds(task.wall_s), task.cpu_s === undefined ? "" : `${seconds(task.cpu_s)} of CPU`]
        .filter(Boolean).join(", ")],
      ["Job", task.job],
      ["Versions", versions],
      ["SHA-256 of its result", task.sha256],
    ].filter((pair) => pair[1] !== undefined && pair[1] !== "");
  }

  function tell(task, data, open) {
    const one = document.createElement("details");
    one.open = open;
    add(one, "summary", task.key);
    const list = add(one, "dl");
    facts(task, data).forEach(function ([name, value]) {
      add(list, "dt", name);
      add(list, "dd", value);
    });
    if (task.parents && task.parents.length) {
      add(list, "dt", "Made from");
      const line = add(list, "dd");
      task.parents.forEach(function (key) {
        const place = data.tasks.findIndex((other) => other.key === key);
        const button = add(line, "button", key, "source");
        button.type = "button";
        button.disabled = place < 0;
        button.addEventListener("click", () => show(key, [place], data));
      });
    }
    add(one, "p", `Inputs (runs/${task.key}/inputs.json)`);
    add(one, "pre", task.inputs);
    return one;
  }

  function show(title, places, data) {
    dialog.querySelector(".title").textContent = title;
    dialog.querySelector(".how").textContent = places.length === 1
      ? "From the result of this task."
      : `Worked out from the results of these ${places.length} tasks.`;
    dialog.querySelector(".chain").replaceChildren(
      ...places.map((k) => tell(data.tasks[k], data, places.length === 1)));
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
  }

  function label(button) {
    // What the number is: row and column of its table, or the name of its card.
    const cell = button.closest("td");
    if (!cell) return button.closest(".fact").querySelector("dt").textContent;
    const column = cell.closest("table").tHead.rows[0].cells[cell.cellIndex].textContent;
    return `${cell.parentElement.cells[0].textContent}: ${column} ${button.textContent}`;
  }

  document.addEventListener("click", function (event) {
    const button = event.target.closest("button.source[data-tasks]");
    if (button) {
      const places = button.dataset.tasks.split(" ").map(Number);
      show(label(button), places, told(button.closest(".part")));
    }
    if (event.target === dialog) dialog.close();
  });
  dialog.querySelector(".close").addEventListener("click", () => dialog.close());
})();
