"use strict";
// Sortable tables, and folded text that opens for printing.
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
