document.querySelectorAll("table.sortable th button").forEach(function (button) {
  button.addEventListener("click", function () {
    var th = button.parentNode, row = th.parentNode, body = row.parentNode.parentNode.tBodies[0];
    var column = Array.prototype.indexOf.call(row.children, th);
    var down = th.getAttribute("aria-sort") === "ascending";
    Array.prototype.forEach.call(row.children, function (other) { other.removeAttribute("aria-sort"); });
    th.setAttribute("aria-sort", down ? "descending" : "ascending");
    var rows = Array.prototype.slice.call(body.rows);
    rows.sort(function (x, y) {
      var a = x.cells[column].dataset.v || x.cells[column].textContent, b = y.cells[column].dataset.v || y.cells[column].textContent;
      var d = parseFloat(a) - parseFloat(b);
      if (isNaN(d)) { d = a.localeCompare(b); }
      return down ? -d : d;
    });
    rows.forEach(function (tr) { body.appendChild(tr); });
  });
});
