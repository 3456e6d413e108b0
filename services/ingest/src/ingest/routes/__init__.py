"""HTTP doors: take typed input, call one function, shape the answer."""
