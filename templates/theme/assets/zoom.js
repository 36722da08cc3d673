// An image in its full size: a click or Enter opens it over the page, another shows every pixel, Escape closes it.
// Loaded only where a page has images that are worth it; without it, the link leads to the image itself.
(() => {
  let dialog

  const make = () => {
    dialog = document.createElement("dialog")
    dialog.className = "kb-zoomed"
    const close = document.createElement("button")
    close.type = "button"
    close.className = "kb-zoomed__close"
    close.textContent = "×"
    const picture = document.createElement("button")
    picture.type = "button"
    picture.className = "kb-zoomed__picture"
    picture.append(document.createElement("img"))
    dialog.append(close, picture)
    close.addEventListener("click", () => dialog.close())
    picture.addEventListener("click", () => dialog.classList.toggle("kb-zoomed--full"))
    dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close())
    document.body.append(dialog)
  }

  const open = (link) => {
    if (!dialog?.isConnected) make()
    const [close, picture] = dialog.children
    const { alt } = link.querySelector("img")
    close.setAttribute("aria-label", link.dataset.kbClose)
    if (alt) dialog.setAttribute("aria-label", alt)
    else dialog.removeAttribute("aria-label")
    dialog.classList.remove("kb-zoomed--full")
    picture.firstChild.src = link.href
    picture.firstChild.alt = alt
    dialog.showModal()
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.kb-zoom")
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    open(link)
  })
})()
