"""The book: the solved lessons and what belongs to them, pages that open from disk and ask nothing outside.

``stage`` turns notebooks and Markdown into what Sphinx reads, ``pages`` writes the pages that are made of
facts (front page, commands, mistakes, package), ``conf`` is Sphinx's configuration, and ``__main__`` builds
it all for `make site`. Nothing is executed: outputs are those that the notebooks store.
"""
