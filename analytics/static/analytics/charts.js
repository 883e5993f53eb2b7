// Lets a line chart be read: by the pointer, or by a slider for the keyboard, which name a row of the chart's table.
"use strict";
for (const figure of document.querySelectorAll(".chart")) {
    const reader = figure.querySelector(".chart-reader");
    if (!reader) continue;
    const slider = reader.querySelector("input");
    const list = reader.querySelector(".chart-list");
    const picture = figure.querySelector(".chart-lines");
    const cursor = figure.querySelector(".chart-cursor");
    const names = [...figure.querySelectorAll("thead th")].map((cell) => cell.textContent);
    const rows = [...figure.querySelectorAll("tbody tr")];
    const shares = rows.map((row) => Number(row.dataset.share));
    const show = () => {
        const row = rows[slider.value];
        const text = [...row.cells]
            .map((cell, place) => [names[place], cell.textContent])
            .filter(([, value]) => value)
            .map(([name, value]) => `${name}: ${value}`)
            .join(" · ");
        const place = `${shares[slider.value] * 100}%`;
        cursor.setAttribute("x1", place);
        cursor.setAttribute("x2", place);
        cursor.classList.add("chart-read");
        reader.querySelector("output").textContent = text;
        slider.setAttribute("aria-valuetext", text);
        const link = row.querySelector("a");
        list.hidden = !link;
        if (link) list.href = link.href;
    };
    slider.max = rows.length - 1;
    slider.addEventListener("input", show);
    slider.addEventListener("focus", show);
    picture.addEventListener("pointermove", (event) => {
        const box = picture.getBoundingClientRect();
        const share = (event.clientX - box.left) / box.width;
        const distance = (place) => Math.abs(shares[place] - share);
        slider.value = shares.reduce((best, _, place) => (distance(place) < distance(best) ? place : best), 0);
        show();
    });
    picture.addEventListener("click", () => list.hidden || list.click());
    reader.hidden = false;
}
