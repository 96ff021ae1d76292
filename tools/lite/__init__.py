"""The lessons in a browser, with nothing installed: JupyterLite, with Python as WebAssembly (Pyodide).

``make lite`` writes a folder that any web server can hand out. Our wheel is loaded when the kernel starts, so
the lessons' own set-up cells do; each copy's first cell says what is different in a browser. What a student
downloads there is handed in like any other notebook.
"""
