// Prints a document of its own, and not the page round it.
demo.print = (text) => {
  const frame = document.createElement("iframe");
  frame.style = "position: fixed; width: 0; height: 0; border: 0"; // what is not displayed is not printed
  frame.ariaHidden = "true";
  frame.tabIndex = -1;
  frame.srcdoc = text;
  frame.onload = () => {
    frame.contentWindow.onafterprint = () => frame.remove();
    frame.contentWindow.print();
  };
  document.body.append(frame);
};
