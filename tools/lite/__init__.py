"""The lessons in a browser, with nothing installed: JupyterLite, with Python as WebAssembly (Pyodide).

``make lite`` writes a folder that any web server can hand out. Our wheel is loaded when the kernel starts, so
the lessons' own set-up cells do; below its first code each copy says what is different. What a student
downloads there is handed in like any other notebook.
"""
