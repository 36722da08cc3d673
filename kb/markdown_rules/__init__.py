"""The rules that our Markdown has beyond CommonMark: one file for each, put together by `kb.markdown`."""
