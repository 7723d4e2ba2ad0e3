// Draws each table's chart beside it. The tables say the same; charts are for the eye alone.
"use strict";
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const COLOURS = { red: "#c5221f", orange: "#ef8e19", yellow: "#f2ce3c" };
  const LINE_MOST = 20;

  const option = (given) => {
    const style = getComputedStyle(document.documentElement);
    const ink = style.getPropertyValue("--ink").trim();
    const soft = style.getPropertyValue("--soft").trim();
    const line = style.getPropertyValue("--line").trim();
    const font = getComputedStyle(document.body).fontFamily;
    const names = {
      type: "category", data: given.names.slice(0, given.upright ? undefined : LINE_MOST), inverse: !given.upright,
      axisLabel: { color: ink, fontSize: 12, interval: given.upright ? "auto" : 0, width: given.upright ? undefined : 150, overflow: "truncate" },
      axisTick: { show: false }, axisLine: { lineStyle: { color: line } },
    };
    const values = {
      type: "value", minInterval: 1, axisLabel: { color: soft }, splitLine: { lineStyle: { color: line } },
    };
    return {
      animation: false, textStyle: { fontFamily: font },
      grid: { left: 8, right: 24, top: 36, bottom: 8, containLabel: true },
      legend: { top: 0, left: 0, itemWidth: 14, textStyle: { color: ink, fontSize: 13 } },
      // Rich text is drawn; the other kind would need styles that the page's policy refuses.
      tooltip: { trigger: "axis", renderMode: "richText", axisPointer: { type: "shadow" } },
      xAxis: given.upright ? names : values,
      yAxis: given.upright ? values : names,
      series: given.series.map((one) => ({
        type: "bar", stack: "levels", name: one.name, barMaxWidth: 26,
        data: one.data.slice(0, given.upright ? undefined : LINE_MOST), itemStyle: { color: COLOURS[one.level] },
      })),
    };
  };

  const charts = [];
  const draw = () => {
    for (const place of document.querySelectorAll("[data-chart]")) {
      const given = JSON.parse(place.dataset.chart);
      place.classList.add("drawn");
      const chart = echarts.init(place, null, { renderer: "canvas" });
      chart.setOption(option(given));
      charts.push({ chart, given });
      new ResizeObserver(() => chart.resize()).observe(place);
    }
  };
  dark.addEventListener("change", () => {
    for (const { chart, given } of charts) chart.setOption(option(given), true);
  });
  if (window.echarts) draw();
})();
