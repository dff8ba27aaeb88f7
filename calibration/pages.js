document.querySelectorAll("table.sortable th button").forEach(function (button) {
  button.addEventListener("click", function () {
    var th = button.parentNode, row = th.parentNode, body = row.parentNode.parentNode.tBodies[0];
    var column = Array.prototype.indexOf.call(row.children, th);
    var down = th.getAttribute("aria-sort") === "ascending";
    Array.prototype.forEach.call(row.children, function (other) { other.removeAttribute("aria-sort"); });
    th.setAttribute("aria-sort", down ? "descending" : "ascending");
    var numbers = th.className === "n";
    var rows = Array.prototype.map.call(body.rows, function (tr) {
      var text = tr.cells[column].textContent.trim();
      return { tr: tr, text: text, value: numbers ? parseFloat(text) : NaN };
    });
    rows.sort(function (a, b) {
      var known = isNaN(a.value) - isNaN(b.value);  // cells without a number stay last
      if (numbers && known) { return known; }
      var d = numbers && !isNaN(a.value) ? a.value - b.value : a.text.localeCompare(b.text, undefined, { numeric: true });
      return down ? -d : d;
    });
    rows.forEach(function (one) { body.appendChild(one.tr); });
  });
});
function show() {
  var target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  var folded = target && target.closest("details");
  if (folded && !folded.open) { folded.open = true; target.scrollIntoView(); }
}
window.addEventListener("hashchange", show);
show();
