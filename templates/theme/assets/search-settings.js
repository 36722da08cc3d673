// Names our search worker where Material's scripts look for theirs.
(() => {
  const settings = document.getElementById("__config")
  const search = document.currentScript.getAttribute("data-worker")
  settings.textContent = JSON.stringify({ ...JSON.parse(settings.textContent), search })
})()
