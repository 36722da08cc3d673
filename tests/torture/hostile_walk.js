// What stands in a document that could run, or lead to what runs. It is looked for in the tree that the browser made.
() => {
  const found = []
  const say = (what, element) => found.push(`${what}: ${element.outerHTML.slice(0, 200)}`)
  const addresses = ['href', 'src', 'xlink:href', 'action', 'formaction', 'data', 'poster', 'background', 'srcset', 'cite']
  const runs = address => {
    try {
      const { protocol, href } = new URL(address, document.baseURI)
      return ['javascript:', 'vbscript:'].includes(protocol)
        || (protocol === 'data:' && !/^data:(image\/(png|gif|jpeg|webp|avif)|font\/)/.test(href))
    } catch {
      return /^\s*(javascript|vbscript|data)\s*:/i.test(address)
    }
  }
  for (const element of document.querySelectorAll('*')) {
    for (const name of element.getAttributeNames()) {
      if (/^on/i.test(name)) say('a handler', element)
      if (name === 'srcdoc') say('a document in an attribute', element)
      if (addresses.includes(name.toLowerCase()) && runs(element.getAttribute(name))) say('an address that runs', element)
    }
    if (element.localName === 'script' && !/json/.test(element.type) && !element.src.startsWith(location.origin + '/assets/')) {
      say('a script', element)
    }
    if (element.matches('iframe, object, embed, applet, base, frame, portal, form:not([class^=kb-], [data-md-component])')) say('an element', element)
    if (element.matches('article :is(style, link, meta), meta[http-equiv=refresh]')) {
      const to = (element.getAttribute('content') ?? '').match(/^\d+; *url=(.*)$/)?.[1]
      if (!to || new URL(to, location).origin !== location.origin) say('an element', element)
    }
  }
  // Nothing that can be pressed or pointed at does anything but what the site's own scripts make of it.
  for (const element of document.querySelectorAll('article *')) {
    for (const type of ['mouseover', 'pointerenter', 'focus', 'error', 'load', 'toggle', 'animationstart', 'scroll']) {
      element.dispatchEvent(new Event(type))
    }
  }
  return found
}
